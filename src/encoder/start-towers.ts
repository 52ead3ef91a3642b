import { availableParallelism } from 'node:os'
import { startThreads, type Threads } from '../threads.js'
import type { ModelPackage } from './model-package.js'
import type { ExecutionProvider, SessionSettings } from './session.js'
import type { Executions, TowerWorkerSettings } from './tower-worker.js'

export interface ExecutionOptions {
  /** In order of preference. */
  executionProviders: ExecutionProvider[]
  /** Whether only the first will do. */
  strict: boolean
  deviceId: number
  /** Threads of ONNX Runtime in each worker. */
  ortThreads: number
  /** Where tensorrt keeps the engines that it builds ('' is nowhere), and its memory in bytes (0 is its own choice). */
  tensorrt?: { cacheDir: string; workspaceBytes: number }
  /** Worker threads; 0 is one a core on the CPU, and one on any other provider. */
  towerWorkers: number
  onWorkerDeath?: (error: Error) => void
}

/** What was asked for, and what runs. */
export interface ExecutionReport {
  requested: ExecutionProvider[]
  /** What ran each tower at the warm-up, by ONNX Runtime's profiler. */
  towers: Executions
  /** The preferred providers that don't run the towers, or not both, and why. */
  passedOver: { provider: ExecutionProvider; reason: string }[]
}

export type TowerThreads = Threads<typeof import('./tower-worker.js')>

interface Started {
  threads: TowerThreads
  workers: number
  execution: ExecutionReport
}

/**
 * Starts the threads of a model's towers on the first of the preferred providers that takes the work, which is read from
 * a profile of the warm-up: ONNX Runtime runs on the CPU what a provider leaves, and does not say so. Throws with the
 * reasons when none does, or with `strict` when the first does not.
 */
export async function startTowers(model: ModelPackage, options: ExecutionOptions): Promise<Started> {
  const requested = options.executionProviders
  const passedOver: ExecutionReport['passedOver'] = []
  for (const [i, provider] of requested.entries()) {
    const workers = options.towerWorkers || (provider === 'cpu' ? availableParallelism() : 1)
    const attempt = await tryStart(model, { ...options, workers, executionProviders: requested.slice(i) })
    if (!attempt.threads) {
      passedOver.push({ provider, reason: firstLine(attempt.error.message) })
    } else {
      const elsewhere = Object.entries(attempt.towers).filter(([, tower]) => tower.provider !== provider)
      if (elsewhere.length > 0) passedOver.push({ provider, reason: elsewhere.map(([name, tower]) => `the ${name} tower ran on ${tower.provider}`).join(', ') })
      // With one of the towers it is still in use, and said to be so.
      if (elsewhere.length === 0 || (elsewhere.length === 1 && !options.strict)) return { threads: attempt.threads, workers, execution: { requested, towers: attempt.towers, passedOver } }
      await attempt.threads.close()
    }
    if (options.strict) break
  }
  throw new Error(`Model '${model.name}' can't run on ${options.strict ? `${requested[0]}, as EXECUTION_PROVIDER_STRICT asks` : requested.join(' or ')}: ${passedOver.map(({ provider, reason }) => `${provider}: ${reason}`).join('; ')}`)
}

type Attempt = { threads: TowerThreads; towers: Executions } | { threads?: undefined; error: Error }

async function tryStart(model: ModelPackage, { workers, ortThreads: threads, executionProviders, deviceId, onWorkerDeath: onDeath }: ExecutionOptions & { workers: number }): Promise<Attempt> {
  const session: SessionSettings = { threads, executionProviders, deviceId }
  const workerData: TowerWorkerSettings = { model, session }
  try {
    const threads: TowerThreads = await startThreads(new URL('./tower-worker.js', import.meta.url), { count: workers, workerData, onDeath })
    return { threads, towers: threads.findings[0] as Executions }
  } catch (error) {
    return { error: error as Error }
  }
}

/** ONNX Runtime's messages go on over many lines. */
function firstLine(message: string): string {
  return message.split('\n')[0]
}
