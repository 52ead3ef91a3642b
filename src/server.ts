import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { openAccess } from './access/open-access.js'
import { buildApp } from './http/app.js'
import { openClassifiers } from './classifiers/classifiers.js'
import { openStore } from './collections/open-store.js'
import type { Store } from './collections/stores/store.js'
import type { Config } from './config.js'
import { loadDemo, type DemoOptions } from './records/demo.js'
import { createEncoders, type Encoders } from './encoder/encoders.js'
import { encoderOptions, loadModels, maxWaitMs } from './encoder/load-models.js'
import { createMetrics, type Metrics } from './telemetry/metrics.js'
import { Closed } from './errors.js'
import { openAllOrClose } from './threading/open-all-or-close.js'
import { openImageFetcher } from './image-urls/open-image-fetcher.js'
import type { App, Readiness } from './http/routes/services.js'
import { openServiceJobs } from './jobs/service-jobs.js'
import { openTraces } from './telemetry/open-traces.js'
import type { TowerRun } from './encoder/encode-options.js'

export interface RunningServer {
  url: string
  /** Resolves when the first demo load is done, or failed. */
  demo: Promise<void>
  /** Reads API_KEYS_FILE again, and opens AUDIT_LOG anew. */
  reload(): Promise<void>
  /** Stops listening, answers what is under way, and lets go of everything. */
  close(): Promise<void>
}

export interface ServerOptions {
  config: Config
  logger: Logger
  /** Told how far the first demo load is. */
  onDemoProgress?: (loaded: number, total: number) => void
  /** Encoders that are open already, in place of those of the configuration; the caller closes them. */
  encoders?: Encoders
}

/**
 * How long answers may take to get out that the end of the drain has given; then their connections are cut.
 */
const LAST_ANSWERS_MS = 500
/** How long the last traces may take to be sent. */
const FLUSH_MS = 3000

/** Starts the service: config -> encoder -> collections -> app -> listen. Throws with what is wrong. */
export async function startServer({
  config,
  logger,
  onDemoProgress,
  encoders: opened
}: ServerOptions): Promise<RunningServer> {
  const startedAt = performance.now()
  const readiness: Readiness = { pending: new Map(), closing: false }
  const late: { metrics?: Metrics } = {}
  const access = await openAccess(config, { logger, onAuditFailure: () => late.metrics?.countAuditFailure() })
  const onWorkerDeath = (error: Error) => {
    logger.error({ err: error }, 'a worker thread died')
    late.metrics?.countWorkerDeath()
  }
  const traces = await openTraces(process.env, (problem) => logger.warn(problem))
  const dataDir = resolve(config.DATA_DIR)
  // Both are mostly work of threads of their own, and take about as long as each other.
  const [store, encoders] = await openAllOrClose<[Store, Encoders]>(
    [
      openStore({
        dataDir,
        maxWaitMs: maxWaitMs(config),
        onWorkerDeath,
        onProblem: (problem) => logger.warn(problem),
        onProgress: (progress) => reportIndexing(progress, { readiness, logger })
      }),
      opened
        ? borrowed(opened)
        : openEncoders(config, { onWorkerDeath, onTowerRun: (run) => late.metrics?.observeTowerRun(run) })
    ],
    (part) => part.close()
  )
  reportExecution(encoders, logger)
  logger.info(
    { models: encoders.all.length, ms: Math.round(performance.now() - startedAt) },
    'encoders are warm'
  )
  const stop = new AbortController()
  if (config.DEMO) track(readiness, 'demo', 0)
  const { collections, images, reports, markers, backups, exports, health } = store
  const metrics = createMetrics({ encoders, collections, health, keys: access.keys })
  late.metrics = metrics
  const jobs = await openServiceJobs(
    {
      config,
      cacheFolder: join(dataDir, 'evaluation-cache'),
      store: store.jobs,
      collections,
      images,
      encoders,
      exports,
      reports
    },
    { logger, metrics }
  )
  const classifiers = await openClassifiers(store.classifiers)
  const services = {
    config,
    encoders,
    collections,
    images,
    backups,
    exports,
    reports,
    jobs,
    classifiers,
    health,
    readiness,
    metrics,
    imageUrls: openImageFetcher(config)
  }
  const app = await buildApp({ ...services, logger, traces, keys: access.keys, auditLog: access.auditLog })
  // Before anyone can add others: those would be taken for jobs of an earlier process, and run twice.
  await jobs.resume()
  await app.listen({ host: config.HOST, port: config.PORT }).catch(async (error) => {
    access.close()
    await jobs.close()
    await Promise.all([encoders.close(), store.close()])
    throw error
  })
  const demo = config.DEMO
    ? runDemo(
        { encoders, collections, markers, signal: stop.signal, onProgress: onDemoProgress },
        { readiness, logger }
      )
    : Promise.resolve()
  return {
    url: urlOf(app, config),
    demo,
    reload: access.reload,
    close: async () => {
      await beUnready(readiness, config)
      stop.abort()
      // First, since those who follow a job would be waited for.
      await Promise.all([jobs.close(), classifiers.close(), backups.close(), closeApp(app, config)])
      access.close()
      await demo
      await encoders.close()
      await Promise.all([store.close(), traces?.close(FLUSH_MS)])
    }
  }
}

/** Encoders of the caller, which stay open when the service closes. */
async function borrowed(encoders: Encoders): Promise<Encoders> {
  return { ...encoders, close: async () => undefined }
}

function urlOf(app: App, { HOST }: Config): string {
  const { port } = app.server.address() as AddressInfo
  return `http://${HOST.includes(':') ? `[${HOST}]` : HOST}:${port}`
}

/** Goes on serving for a while, for load balancers to see that it is about to end. */
async function beUnready(readiness: Readiness, { SHUTDOWN_DELAY_MS }: Config): Promise<void> {
  readiness.closing = true
  if (SHUTDOWN_DELAY_MS > 0) await sleep(SHUTDOWN_DELAY_MS)
}

/**
 * Stops listening, and waits for what is under way: what is left after a while is answered CLOSED, and then
 * cut.
 */
async function closeApp(app: App, { DRAIN_TIMEOUT_MS: drainMs }: Config): Promise<void> {
  const timers = [
    setTimeout(() => app.endRequests(new Closed()), drainMs),
    setTimeout(() => app.server.closeAllConnections(), drainMs + LAST_ANSWERS_MS)
  ]
  await app.close()
  timers.forEach(clearTimeout)
}

async function runDemo(
  {
    onProgress,
    signal,
    ...demo
  }: Omit<DemoOptions, 'onProgress'> & { onProgress?: DemoOptions['onProgress'] },
  { readiness, logger }: { readiness: Readiness; logger: Logger }
): Promise<void> {
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
    if (added > 0)
      logger.info({ records: added, ms: Math.round(performance.now() - startedAt) }, 'demo collection loaded')
  } catch (error) {
    if (!signal.aborted) logger.error({ err: error }, 'the demo collection could not be loaded')
  } finally {
    track(readiness, 'demo', 1)
  }
}

function reportIndexing(
  { indexed, total }: { indexed: number; total: number },
  { readiness, logger }: { readiness: Readiness; logger: Logger }
): void {
  logger.info({ indexed, total }, 'building the indexes')
  track(readiness, 'indexes', indexed / total)
}

function track({ pending }: Readiness, task: string, progress: number): void {
  if (progress < 1) pending.set(task, progress)
  else pending.delete(task)
}

/** Says what runs the towers, loudly where it is not what was asked for. */
function reportExecution(encoders: Encoders, logger: Logger): void {
  for (const { model, dimension, execution, tuning } of encoders.all) {
    const { requested, towers, passedOver } = execution
    const fields = {
      model: model.name,
      variant: model.variant,
      fingerprint: model.fingerprint,
      dimension,
      requested,
      towers
    }
    if (passedOver.length === 0) logger.info(fields, `model '${model.name}' runs on ${requested[0]}`)
    else
      logger.error(
        { ...fields, passedOver },
        `model '${model.name}' does NOT run on ${requested[0]}, the preferred execution provider: ` +
          `image tower on ${towers.image.provider}, text tower on ${towers.text.provider}`
      )
    logger.info(
      { model: model.name, tuning },
      `model '${model.name}': ` +
        `${tuning.map(({ setting, value, reason }) => `${setting} ${value} (${reason})`).join('; ')}`
    )
  }
}

async function openEncoders(
  config: Config,
  listeners: { onWorkerDeath: (error: Error) => void; onTowerRun: (run: TowerRun) => void }
): Promise<Encoders> {
  return createEncoders(await loadModels(config), { ...encoderOptions(config), ...listeners })
}
