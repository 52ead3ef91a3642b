import { mkdir } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import type { Logger } from 'pino'
import { buildApp } from './app.js'
import { openCollections, type Collections } from './collections/collections.js'
import type { Config } from './config.js'
import { loadDemo, type DemoOptions } from './demo.js'
import type { TowerRun } from './encoder/encoder.js'
import { createEncoders, type Encoders } from './encoder/encoders.js'
import { openJobs } from './jobs.js'
import { encoderOptions, loadModels } from './load-models.js'
import { createMetrics, type Metrics } from './metrics.js'
import { openAll } from './open-all.js'
import type { Readiness } from './routes/services.js'

export interface RunningServer {
  url: string
  /** Resolves when the first demo load is done, or failed. */
  demo: Promise<void>
  /** Stops listening, answers what is under way, and lets go of everything. */
  close(): Promise<void>
}

export interface ServerOptions {
  config: Config
  logger: Logger
  /** Told how far the first demo load is. */
  onDemoProgress?: (loaded: number, total: number) => void
}

/** How long requests under way may take to end once the service closes; then their connections are cut. */
const DRAIN_MS = 8000

/** Starts the service: config -> encoder -> collections -> app -> listen. Throws with what is wrong. */
export async function startServer({ config, logger, onDemoProgress }: ServerOptions): Promise<RunningServer> {
  const startedAt = performance.now()
  const readiness: Readiness = { pending: new Map() }
  const late: { metrics?: Metrics } = {}
  const onWorkerDeath = (error: Error) => {
    logger.error({ err: error }, 'a worker thread died')
    late.metrics?.countWorkerDeath()
  }
  const dataDir = resolve(config.DATA_DIR)
  await mkdir(dataDir, { recursive: true })
  // Both are mostly work of threads of their own, and take about as long as each other.
  const [collections, encoders] = await openAll<[Collections, Encoders]>(
    [
      openCollections({
        dataDir,
        onWorkerDeath,
        onProblem: (problem) => logger.warn(problem),
        onProgress: ({ indexed, total }) => {
          logger.info({ indexed, total }, 'building the indexes')
          track(readiness, 'indexes', indexed / total)
        }
      }),
      openEncoders(config, { onWorkerDeath, onTowerRun: (run) => late.metrics?.observeTowerRun(run) })
    ],
    (opened) => opened.close()
  )
  reportExecution(encoders, logger)
  logger.info({ models: encoders.all.length, ms: Math.round(performance.now() - startedAt) }, 'encoders are warm')
  const stop = new AbortController()
  if (config.DEMO) track(readiness, 'demo', 0)
  const metrics = createMetrics({ encoders, collections })
  late.metrics = metrics
  const jobs = await openJobs({
    collections,
    encoders,
    onEnd: ({ id, collection, model, state, progress, missing, error }) => logger[state === 'failed' ? 'error' : 'info']({ job: id, collection, model, progress, missing: missing.count, error }, `re-indexing ${state}`)
  })
  const app = await buildApp({ config, encoders, collections, jobs, readiness, metrics, logger })
  await app.listen({ host: config.HOST, port: config.PORT }).catch(async (error) => {
    await Promise.all([encoders.close(), collections.close()])
    throw error
  })
  await jobs.resume()
  const { port } = app.server.address() as AddressInfo
  const url = `http://${config.HOST.includes(':') ? `[${config.HOST}]` : config.HOST}:${port}`
  const demo = config.DEMO ? runDemo({ encoders, collections, dataDir, signal: stop.signal, onProgress: onDemoProgress }, { readiness, logger }) : Promise.resolve()
  return {
    url,
    demo,
    close: async () => {
      stop.abort()
      // First, since those who follow a job would be waited for.
      await jobs.close()
      const cut = setTimeout(() => app.server.closeAllConnections(), DRAIN_MS)
      await app.close()
      clearTimeout(cut)
      await demo
      await encoders.close()
      await collections.close()
    }
  }
}

async function runDemo({ onProgress, signal, ...demo }: Omit<DemoOptions, 'onProgress'> & { onProgress?: DemoOptions['onProgress'] }, { readiness, logger }: { readiness: Readiness; logger: Logger }): Promise<void> {
  const startedAt = performance.now()
  try {
    const added = await loadDemo({
      ...demo,
      signal,
      onProgress: (loaded, total) => {
        onProgress?.(loaded, total)
        if (loaded < total) track(readiness, 'demo', loaded / total)
      }
    })
    if (added > 0) logger.info({ records: added, ms: Math.round(performance.now() - startedAt) }, 'demo collection loaded')
  } catch (error) {
    if (!signal.aborted) logger.error({ err: error }, 'the demo collection could not be loaded')
  } finally {
    track(readiness, 'demo', 1)
  }
}

function track({ pending }: Readiness, task: string, progress: number): void {
  if (progress < 1) pending.set(task, progress)
  else pending.delete(task)
}

/** Says what runs the towers, loudly where it is not what was asked for. */
function reportExecution(encoders: Encoders, logger: Logger): void {
  for (const { model, dimension, execution, tuning } of encoders.all) {
    const { requested, towers, passedOver } = execution
    const fields = { model: model.name, variant: model.variant, fingerprint: model.fingerprint, dimension, requested, towers }
    if (passedOver.length === 0) logger.info(fields, `model '${model.name}' runs on ${requested[0]}`)
    else logger.error({ ...fields, passedOver }, `model '${model.name}' does NOT run on ${requested[0]}, which was asked for: image tower on ${towers.image.provider}, text tower on ${towers.text.provider}`)
    logger.info({ model: model.name, tuning }, `model '${model.name}': ${tuning.map(({ setting, value, reason }) => `${setting} ${value} (${reason})`).join('; ')}`)
  }
}

async function openEncoders(config: Config, listeners: { onWorkerDeath: (error: Error) => void; onTowerRun: (run: TowerRun) => void }): Promise<Encoders> {
  return createEncoders(await loadModels(config), { ...encoderOptions(config), ...listeners })
}
