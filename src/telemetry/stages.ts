/** What the time of a request goes to. */
export type Stage = 'queue' | 'decode' | 'preprocess' | 'encode' | 'search' | 'write'

/** One stay in a stage. All that is told of stages (`took_ms`, metrics, traces) comes from these. */
export interface Step {
  stage: Stage
  /** When it began, in milliseconds of the main thread's `performance.now()`. */
  at: number
  ms: number
  /** What it worked on: names and counts, never texts or images. */
  attributes?: Record<string, string | number | boolean>
}

/** Told of each step, when it is over. */
export type OnStep = (step: Step) => void

/** Does some work and tells how long it took; not of work that failed. */
export async function timeStep<T>(
  onStep: OnStep | undefined,
  step: Pick<Step, 'stage' | 'attributes'>,
  work: () => Promise<T>
): Promise<T> {
  const at = performance.now()
  const result = await work()
  onStep?.({ ...step, at, ms: performance.now() - at })
  return result
}

/** Milliseconds by stage, summed over steps. */
export function sumSteps<Of extends Stage>(stages: readonly Of[], steps: Step[]): Record<Of, number> {
  const sums = Object.fromEntries(stages.map((stage) => [stage, 0])) as Record<Of, number>
  for (const { stage, ms } of steps) if (stage in sums) sums[stage as Of] += ms
  return sums
}
