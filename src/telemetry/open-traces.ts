import type { Traces } from './traces.js'

/**
 * Whether the environment asks for traces, by the names that OpenTelemetry gives: an endpoint for them, and
 * nothing that switches them off.
 */
export function wantsTraces(env: NodeJS.ProcessEnv): boolean {
  const isOff =
    env.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true' || env.OTEL_TRACES_EXPORTER?.trim() === 'none'
  return (
    !isOff && Boolean((env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || env.OTEL_EXPORTER_OTLP_ENDPOINT)?.trim())
  )
}

/**
 * Traces as the environment asks for them, or none; what makes them is loaded only then. Throws with what is
 * wrong there.
 */
export async function openTraces(
  env: NodeJS.ProcessEnv,
  onProblem: (problem: string) => void
): Promise<Traces | undefined> {
  if (!wantsTraces(env)) return undefined
  const { startTraces } = await import('./otlp-traces.js')
  return startTraces(env, onProblem)
}
