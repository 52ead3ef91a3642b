import { mkdir } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import type { Logger } from 'pino'
import { buildApp } from './app.js'
import { openCollections } from './collections/collections.js'
import { MIB, type Config } from './config.js'
import { loadDemo, type DemoOptions } from './demo.js'
import { createEncoder } from './encoder/encoder.js'
import { loadModelPackage, modelFolder } from './encoder/model-package.js'
import { createMetrics, type Metrics } from './metrics.js'
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
  const collections = await openCollections({
    dataDir,
    onWorkerDeath,
    onProblem: (problem) => logger.warn(problem),
    onProgress: ({ indexed, total }) => {
      logger.info({ indexed, total }, 'building the indexes')
      track(readiness, 'indexes', indexed / total)
    }
  })
  const encoder = await openEncoder(config, onWorkerDeath).catch(async (error) => {
    await collections.close()
    throw error
  })
  logger.info({ model: encoder.model.name, fingerprint: encoder.model.fingerprint, dimension: encoder.dimension, workers: config.ENCODER_WORKERS, ms: Math.round(performance.now() - startedAt) }, 'encoder is warm')
  const stop = new AbortController()
  if (config.DEMO) track(readiness, 'demo', 0)
  const metrics = createMetrics({ encoder, collections })
  late.metrics = metrics
  const app = await buildApp({ config, encoder, collections, readiness, metrics, logger })
  await app.listen({ host: config.HOST, port: config.PORT }).catch(async (error) => {
    await Promise.all([encoder.close(), collections.close()])
    throw error
  })
  const { port } = app.server.address() as AddressInfo
  const url = `http://${config.HOST.includes(':') ? `[${config.HOST}]` : config.HOST}:${port}`
  const demo = config.DEMO ? runDemo({ encoder, collections, dataDir, signal: stop.signal, onProgress: onDemoProgress }, { readiness, logger }) : Promise.resolve()
  return {
    url,
    demo,
    close: async () => {
      stop.abort()
      const cut = setTimeout(() => app.server.closeAllConnections(), DRAIN_MS)
      await app.close()
      clearTimeout(cut)
      await demo
      await encoder.close()
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

async function openEncoder(config: Config, onWorkerDeath: (error: Error) => void) {
  const model = await loadModelPackage(modelFolder(config.MODEL, config.MODELS_DIR))
  return createEncoder(model, {
    towerWorkers: config.ENCODER_WORKERS,
    ortThreads: config.ORT_THREADS,
    executionProviders: config.EXECUTION_PROVIDERS,
    imageWorkers: config.DECODE_WORKERS,
    imageBatchSize: config.IMAGE_BATCH_SIZE,
    textBatchSize: config.TEXT_BATCH_SIZE,
    batchDelayMs: config.BATCH_DELAY_MS,
    queueSize: config.QUEUE_SIZE,
    cacheBytes: config.EMBEDDING_CACHE_MIB * MIB,
    limits: { maxPixels: config.MAX_IMAGE_MEGAPIXELS * 1e6 },
    onWorkerDeath
  })
}
