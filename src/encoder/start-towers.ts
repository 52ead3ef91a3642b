import { usableCores } from '../threading/cores.js'
import { openAllOrClose } from '../threading/open-all-or-close.js'
import { startThreadPool, type PoolState, type ThreadPool } from '../threading/thread-pool.js'
import type { ModelPackage } from './model-package.js'
import type { Executions, TowerWorkerSettings } from './tower-worker.js'
import { bestBatchSize, describeRuns, tuneWorkers, type Tuned } from './tuning.js'
import type { ExecutionProvider } from './execution-profile.js'

export interface ExecutionOptions {
  /** In order of preference. */
  executionProviders: ExecutionProvider[]
  /** Whether only the first will do. */
  strict: boolean
  deviceId: number
  /** Threads of ONNX Runtime in each worker. */
  ortThreads: number
  /**
   * Where tensorrt keeps the engines that it builds ('' is nowhere), and its memory in bytes (0 is its own
   * choice).
   */
  tensorrt?: { cacheDir: string; workspaceBytes: number }
  /** Worker threads; 0 is one a core on the CPU, and one on any other provider. */
  towerWorkers: number
  /** Whether the CPU gets one worker more, with all cores, for what someone waits for. */
  expressWorker: boolean
  /** Images, and texts, in one run of a tower at most; 0 is measured on the CPU, and 32 elsewhere. */
  imageBatchSize: number
  textBatchSize: number
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

type TowerThreads = ThreadPool<typeof import('./tower-worker.js')>

/** The threads that hold a model's towers. */
export interface Towers {
  /** The workers, or the express worker. */
  threads(place: { express: boolean }): Pick<TowerThreads, 'call'>
  workers: number
  /** Whether there is an express worker. */
  express: boolean
  /** Inputs in one run, at most. */
  batchSizes: Record<'image' | 'text', number>
  execution: ExecutionReport
  tuning: Tuned[]
  /** How the pools of threads are. */
  pools(): PoolState[]
  close(): Promise<void>
}

/** The pool of the express worker, without which requests are only slower. */
export const EXPRESS = 'express tower'

/** Inputs in one run that fill a GPU. */
const GPU_BATCH = 32
const IMAGE_SIZES = [1, 2, 4, 8]
const TEXT_SIZES = [8, 16, 32, 64]

/**
 * Starts the threads of a model's towers on the first of the preferred providers that takes the work, which
 * is read from a profile of the warm-up: ONNX Runtime runs on the CPU what a provider leaves, and does not
 * say so. Throws with the reasons when none does, or with `strict` when the first does not.
 */
export async function startTowers(model: ModelPackage, options: ExecutionOptions): Promise<Towers> {
  const requested = options.executionProviders
  const passedOver: ExecutionReport['passedOver'] = []
  for (const [i, provider] of requested.entries()) {
    const attempt = await tryStart(model, { ...options, executionProviders: requested.slice(i) })
    if (!attempt.started) {
      passedOver.push({ provider, reason: firstLine(attempt.error.message) })
    } else {
      const { started } = attempt
      const elsewhere = Object.entries(started.towers).filter(([, tower]) => tower.provider !== provider)
      if (elsewhere.length > 0)
        passedOver.push({
          provider,
          reason: elsewhere.map(([name, tower]) => `the ${name} tower ran on ${tower.provider}`).join(', ')
        })
      // With one of the towers it is still in use, and said to be so.
      if (elsewhere.length === 0 || (elsewhere.length === 1 && !options.strict))
        return await tune(started, options, { requested, towers: started.towers, passedOver })
      await started.close()
    }
    if (options.strict) break
  }
  const wanted = options.strict
    ? `${requested[0]}, as EXECUTION_PROVIDER_STRICT requires`
    : requested.join(' or ')
  throw new Error(
    `Model '${model.name}' can't run on ${wanted}: ` +
      `${passedOver.map(({ provider, reason }) => `${provider}: ${reason}`).join('; ')}`
  )
}

/** Threads that are warm, and how their number was chosen. */
interface Started extends Pick<Towers, 'threads' | 'pools' | 'close' | 'workers' | 'express' | 'tuning'> {
  towers: Executions
}

type Attempt = { started: Started } | { started?: undefined; error: Error }

async function tryStart(
  model: ModelPackage,
  {
    towerWorkers,
    ortThreads,
    expressWorker,
    executionProviders,
    deviceId,
    onWorkerDeath: onDeath
  }: ExecutionOptions
): Promise<Attempt> {
  const { workers, expressThreads, tuning } = tuneWorkers(
    { workers: towerWorkers, ortThreads, express: expressWorker },
    { cores: usableCores(), onCpu: executionProviders[0] === 'cpu' }
  )
  const start = (
    name: string,
    { count, threads }: { count: number; threads: number }
  ): Promise<TowerThreads> => {
    const workerData: TowerWorkerSettings = { model, session: { threads, executionProviders, deviceId } }
    return startThreadPool(new URL('./tower-worker.js', import.meta.url), {
      name,
      count,
      workerData,
      onDeath
    })
  }
  try {
    const pools = await openAllOrClose(
      [
        start('towers', { count: workers, threads: ortThreads }),
        ...(expressThreads > 0 ? [start(EXPRESS, { count: 1, threads: expressThreads })] : [])
      ],
      (pool) => pool.close()
    )
    const [shared, express = shared] = pools
    const close = async () => void (await Promise.all(pools.map((pool) => pool.close())))
    // What the express worker does the others can do too.
    const threads = (place: { express: boolean }) =>
      place.express && express.state.alive > 0 && express.state.circuit !== 'open' ? express : shared
    return {
      started: {
        threads,
        pools: () => pools.map(({ state }) => state),
        close,
        workers,
        express: expressThreads > 0,
        tuning,
        towers: shared.findings[0] as Executions
      }
    }
  } catch (error) {
    return { error: error as Error }
  }
}

/** Finds the batch sizes, on threads that have nothing else to do yet. */
async function tune(
  { tuning, ...started }: Started,
  options: ExecutionOptions,
  execution: ExecutionReport
): Promise<Towers> {
  const size = async (tower: 'image' | 'text', set: number, sizes: number[]): Promise<Tuned> => {
    const setting = `${tower === 'image' ? 'images' : 'texts'} in a batch`
    if (set) return { setting, value: set, reason: 'as set' }
    if (execution.towers[tower].provider !== 'cpu')
      return { setting, value: GPU_BATCH, reason: 'fills a device' }
    const runs = await started.threads({ express: false }).call('measureBatches', { tower, sizes })
    return { setting, value: bestBatchSize(runs), reason: describeRuns(runs) }
  }
  const image = await size('image', options.imageBatchSize, IMAGE_SIZES)
  const text = await size('text', options.textBatchSize, TEXT_SIZES)
  return {
    ...started,
    execution,
    batchSizes: { image: image.value, text: text.value },
    tuning: [...tuning, image, text]
  }
}

/** ONNX Runtime's messages continue over many lines. */
function firstLine(message: string): string {
  return message.split('\n')[0]
}
