import { setTimeout as sleep } from 'node:timers/promises'
import { isTransient } from '../errors.js'

export interface RetryOptions {
  /** Ends the tries. Work that is running is to watch it by itself. */
  signal?: AbortSignal
  /** Milliseconds between two tries. */
  delayMs?: number
  /** The death of a worker at which it gives up, since the work may be the cause. */
  maxDeaths?: number
  /** Milliseconds after the first failure at which it gives up while a queue is full. */
  maxFullMs?: number
  /** Milliseconds after the first failure at which it gives up while workers are down. */
  maxDownMs?: number
}

const QUARTER_HOUR_MS = 15 * 60_000

/**
 * Does some work again after transient errors: a full queue, or workers that died or are down. Throws the
 * signal's reason, any other error at once, and the last transient error when it gives up.
 */
export async function retry<T>(work: () => Promise<T>, options: RetryOptions = {}): Promise<T> {
  const { signal, delayMs = 500, maxDeaths = 5 } = options
  const { maxFullMs = QUARTER_HOUR_MS, maxDownMs = QUARTER_HOUR_MS } = options
  let failedAt: number | undefined
  for (let deaths = 0; ;) {
    signal?.throwIfAborted()
    try {
      return await work()
    } catch (error) {
      if (!isTransient(error)) throw error
      failedAt ??= performance.now()
      if (error.code === 'WORKER_DIED') deaths++
      const maxMs = error.code === 'QUEUE_FULL' ? maxFullMs : maxDownMs
      if (deaths >= maxDeaths || performance.now() - failedAt >= maxMs) throw error
      // An abort ends the wait; the next round throws its reason.
      await sleep(delayMs, undefined, { signal }).catch(() => undefined)
    }
  }
}
