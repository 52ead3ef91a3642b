import { setTimeout as sleep } from 'node:timers/promises'
import { TransientError } from './transient-error.js'

export interface RetryPolicy {
  /** What is tried, for the error in the end. */
  what: string
  /** Tries in a row that bring nothing, the first one included. */
  tries: number
  /** The first wait, in milliseconds; it doubles with each try. */
  baseMs: number
  signal: AbortSignal
  onRetry: (reason: string, delayMs: number) => void
  /** The most bytes that were ever there: tries that add to it are not counted. */
  progress?: () => number
}

/**
 * What a try must add so as not to count, in bytes; with the high-water mark of `progress` it bounds the
 * tries.
 */
const WORTHWHILE = 2 ** 20

/**
 * The longest wait that is borne when the hub asks for one, in milliseconds: its windows are five minutes.
 */
const LONGEST_WAIT_MS = 330_000

/**
 * Tries again after each TransientError, with waits that double, or as long as the hub asked. Throws the last
 * error when the tries are used up, any other error at once, and an AbortError when the signal aborts.
 */
export async function retrying<T>(attempt: () => Promise<T>, policy: RetryPolicy): Promise<T> {
  let mark = policy.progress?.() ?? 0
  for (let failures = 1; ; failures++) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof TransientError) || policy.signal.aborted) throw error
      const reached = policy.progress?.() ?? 0
      if (reached - mark >= WORTHWHILE) {
        failures = 1
        mark = reached
      }
      const delay = error.retryAfterMs ?? policy.baseMs * 2 ** (failures - 1) * (0.75 + Math.random() / 2)
      if (failures >= policy.tries)
        throw new Error(
          `${policy.what}: ${error.message}; all ${failures} attempts failed. Run the same command ` +
            'again to continue.',
          { cause: error }
        )
      if (delay > LONGEST_WAIT_MS)
        throw new Error(
          `${policy.what}: ${error.message}. The hub asks to wait ${Math.ceil(delay / 1000)} s: run ` +
            'the same command again then to continue.',
          { cause: error }
        )
      policy.onRetry(error.message, delay)
      await sleep(delay, undefined, { signal: policy.signal })
    }
  }
}
