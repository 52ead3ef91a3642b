import { setTimeout as sleep } from 'node:timers/promises'
import { isPublicError } from './errors.js'

const BUSY_WAIT_MS = 500

/** Does some work again while what stops it may pass: a full queue, a thread that died or is down. */
export async function untilWell<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!isPassing(error)) throw error
      await sleep(BUSY_WAIT_MS, undefined, { signal })
    }
  }
}

/** Whether the same may go well later. */
function isPassing(error: unknown): boolean {
  return isPublicError(error) && ['QUEUE_FULL', 'WORKER_DIED', 'WORKERS_DOWN'].includes(error.code)
}
