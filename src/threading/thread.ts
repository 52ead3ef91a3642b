import { basename } from 'node:path'
import { inspect } from 'node:util'
import { Piscina } from 'piscina'

export interface ThreadOptions {
  /** What the thread starts from; it is cloned. */
  workerData: unknown
  /** Calls that it works on at the same time; 1 unless its calls yield. Others wait. */
  callsPerThread?: number
  /** Told what the thread reports by itself (progress, say). */
  onReport?: (report: unknown) => void
}

/** How a thread says that it can take calls, and what it found while it started. */
export interface Ready {
  ready: unknown
}

/** One worker thread. It is never replaced: who started it decides about that. */
export interface Thread {
  finding: unknown
  readonly isAlive: boolean
  /** Calls that it has, waiting ones included. */
  readonly calls: number
  /** Rejects with the thread's error when it dies. */
  call(name: string, argument: unknown): Promise<unknown>
  /** Told once, before those that wait for it, and why in a moment; not of an end by `close`. */
  onDeath?: (cause: Promise<Error>) => void
  close(): Promise<void>
}

/**
 * Starts a thread from a file; resolves when it has reported that it is ready, rejects when it ends before.
 */
export async function startThread(
  file: URL,
  { workerData, callsPerThread = 1, onReport }: ThreadOptions
): Promise<Thread> {
  const pool = new Piscina({
    filename: file.href,
    minThreads: 1,
    maxThreads: 1,
    concurrentTasksPerWorker: callsPerThread,
    idleTimeout: Infinity,
    // A thread that sleeps in Atomics.wait runs no timers, and those between calls are what the searcher
    // lives by.
    atomics: 'disabled',
    workerData
  })
  // Piscina 5.3 would put another in its place at once, however often one dies, and after destroy() too.
  pool.options.minThreads = 0
  let [isAlive, calls, isClosing] = [true, 0, false]
  let fault: Error | undefined
  pool.on('error', (error: unknown) => (fault ??= toError(error, file)))
  const thread: Thread = {
    finding: undefined,
    get isAlive() {
      return isAlive
    },
    get calls() {
      return calls
    },
    call: async (name, argument) => {
      calls++
      try {
        return await pool.run(argument, { name })
      } catch (error) {
        if (!isAlive) fault ??= toError(error, file)
        throw error
      } finally {
        calls--
      }
    },
    close: async () => {
      isClosing = true
      await pool.destroy()
    }
  }
  const ready = new Promise<unknown>((resolve, reject) => {
    pool.on('message', (message: unknown) =>
      isReady(message) ? resolve(message.ready) : onReport?.(message)
    )
    pool.once('workerDestroy', () => {
      isAlive = false
      // Why it ended comes after this event.
      const cause = new Promise<Error>((tell) =>
        setImmediate(() => tell(fault ?? new Error('The thread ended.')))
      )
      void cause.then((error) => (reject(error), pool.destroy()))
      if (!isClosing) thread.onDeath?.(cause)
    })
  })
  thread.finding = await ready.catch(async (error) => {
    await pool.destroy()
    throw error
  })
  return thread
}

/**
 * An Error with a message, whatever a thread ended with: errors of other classes lose theirs on the way
 * between threads.
 */
function toError(error: unknown, file: URL): Error {
  if (error instanceof Error && error.message) return error
  return new Error(`The thread ${basename(file.pathname)} ended with ${inspect(error)}.`)
}

function isReady(message: unknown): message is Ready {
  return typeof message === 'object' && message !== null && 'ready' in message
}
