import type { Logger } from 'pino'
import type { Metrics } from '../telemetry/metrics.js'
import { evaluationJobs, type EvaluationParts } from './evaluation/evaluation-kind.js'
import type { JobStore } from '../collections/stores/job-store.js'
import type { ReportStore } from '../collections/stores/report-store.js'
import { isOpen, type Job } from './job.js'
import { type Jobs, openJobs } from './jobs.js'
import { reindexJobs } from './reindex-jobs.js'

/** The jobs of a service, with what each kind of them needs; their ends are logged and counted. */
export async function openServiceJobs(
  parts: Omit<EvaluationParts, 'onWarning' | 'onEmbedded'> & { store: JobStore },
  { logger, metrics }: { logger: Logger; metrics: Pick<Metrics, 'countEvaluation'> }
): Promise<Jobs> {
  const onWarning = (warning: string) => logger.warn(warning)
  const onEmbedded = (embedded: object) => logger.info(embedded, 'embeddings of an evaluation')
  const jobs: Jobs = await openJobs({
    store: parts.store,
    kinds: { reindex: reindexJobs(parts), evaluation: evaluationJobs({ ...parts, onWarning, onEmbedded }) },
    onFault: ({ id, kind, collection, state }, { step, error }) => {
      const what =
        step === 'undo'
          ? 'the results of a job could not be removed'
          : 'the state of a job could not be saved; after the next start the job has its previous state'
      logger.error({ err: error, job: id, kind, collection, state }, what)
    },
    onEnd: (job, cause) => {
      reportJob(job, { cause, logger })
      if (job.kind !== 'evaluation') return
      metrics.countEvaluation(job.state)
      forgetOld(jobs, parts.reports).catch((error) =>
        logger.warn({ err: error }, 'old evaluations could not be removed')
      )
    }
  })
  return jobs
}

function isOurs(error: Job['error']): boolean {
  return error?.code === 'INTERNAL' || error?.code === 'WORKER_DIED'
}

function reportJob(job: Job, { cause, logger }: { cause?: unknown; logger: Logger }): void {
  const { id, collection, model, state, progress, error } = job
  // What the job says of a fault of ours is that the log has it.
  const fields = { job: id, collection, model, progress, error, ...(isOurs(error) && { err: cause }) }
  logger[state === 'failed' ? 'error' : 'info'](
    { ...fields, ...(job.kind === 'reindex' && { missing: job.missing.count }) },
    `${job.kind === 'reindex' ? 're-indexing' : 'evaluation'} ${state}`
  )
}

/** Evaluations that are kept of those that have ended, the latest. */
const KEPT = 100

/** Removes the evaluations before the last hundred that have ended, with their reports. */
async function forgetOld(jobs: Jobs, reports: ReportStore): Promise<void> {
  const ended = jobs.list().filter((job) => job.kind === 'evaluation' && !isOpen(job))
  for (const { id } of ended.slice(KEPT)) {
    await jobs.forget(id)
    await reports.remove(id)
  }
}
