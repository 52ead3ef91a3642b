import { isOpen } from '../job.js'
import type { Jobs } from '../jobs.js'
import type { ReportStore } from './report-store.js'

/** Evaluations that are kept of those that have ended, the latest. */
const KEPT = 100

/** Removes the evaluations before the last hundred that have ended, with their reports. */
export async function forgetOld(jobs: Jobs, reports: ReportStore): Promise<void> {
  const ended = jobs.list().filter((job) => job.kind === 'evaluation' && !isOpen(job))
  for (const { id } of ended.slice(KEPT)) {
    await jobs.forget(id)
    await reports.remove(id)
  }
}
