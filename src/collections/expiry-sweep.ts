import type { ThreadPool } from '../threading/thread-pool.js'
import type { Searcher } from './folder-threads.js'
import type { Written } from './sqlite/writes.js'
import type { RawWrite } from './writer-worker.js'

export interface ExpirySweepOptions {
  commit: (write: RawWrite) => Promise<Written>
  searcher: ThreadPool<Searcher>
  /** Told of a sweep that failed, once until one goes well. */
  onProblem?: (problem: string) => void
}

/** How often it is looked for what has expired, in milliseconds. */
const EVERY_MS = 3000
/** Records that are removed in one transaction: other writes wait for it. */
const BATCH = 500

/**
 * Removes records whose time is up, as a deletion does, those that expired while nothing ran first. No reader
 * sees them before that either; the sweep gives back what they take. Returns what ends it, after the batch
 * under way.
 */
export function startExpirySweep({ commit, searcher, onProblem }: ExpirySweepOptions): () => Promise<void> {
  let isStopped = false
  let isFailing = false
  const sweep = async () => {
    for (let removed = BATCH; removed >= BATCH && !isStopped;) {
      const { expired = [] } = await commit({ kind: 'expire', limit: BATCH })
      for (const { collection, changes } of expired)
        await searcher.call('apply', { collection, changes, vectors: [] })
      removed = expired.reduce((sum, { changes }) => sum + changes.length, 0)
    }
  }
  const sweepOrReport = () =>
    sweep().then(
      () => void (isFailing = false),
      (error: Error) => {
        if (!isFailing && !isStopped) onProblem?.(`expired records could not be removed: ${error.message}`)
        isFailing = true
      }
    )
  let running: Promise<void> | undefined
  const wake = () => void (running ??= sweepOrReport().finally(() => (running = undefined)))
  const timer = setInterval(wake, EVERY_MS)
  timer.unref()
  wake()
  return async () => {
    isStopped = true
    clearInterval(timer)
    await running
  }
}
