import { setTimeout as sleep } from 'node:timers/promises'
import { isPublicError } from '../errors.js'

export interface Forbearance {
  /** Milliseconds between two tries. */
  busyWaitMs?: number
  /** Deaths of a worker, which the work may be the cause of, that are borne. */
  mostDeaths?: number
  /** Milliseconds after which no other try is made while workers are down, or a queue stays full. */
  mostWaitMs?: number
}

/**
 * Does some work again while what stops it may pass: a full queue, a thread that died or is down. Throws the
 * signal's reason, and what stopped the work the last time where that does not pass: after 5 deaths, or 15
 * minutes.
 */
export async function untilWell<T>(
  signal: AbortSignal,
  work: () => Promise<T>,
  { busyWaitMs = 500, mostDeaths = 5, mostWaitMs = 15 * 60_000 }: Forbearance = {}
): Promise<T> {
  const startedAt = performance.now()
  for (let deaths = 0; ;) {
    try {
      return await work()
    } catch (error) {
      const code = isPublicError(error) ? error.code : ''
      if (code === 'WORKER_DIED') deaths++
      if (
        !['QUEUE_FULL', 'WORKER_DIED', 'WORKERS_DOWN'].includes(code) ||
        deaths >= mostDeaths ||
        performance.now() - startedAt > mostWaitMs
      )
        throw error
      await sleep(busyWaitMs, undefined, { signal })
    }
  }
}
