import { isMainThread, parentPort } from 'node:worker_threads'
import { Piscina } from 'piscina'
import { fromErrorShape, toErrorShape, WorkerDied, type ErrorShape } from './errors.js'

export interface ThreadsOptions {
  count: number
  /** What a thread starts from; it is cloned. */
  workerData: unknown
  /** Calls that one thread works on at the same time; 1 unless its calls yield. */
  callsPerThread?: number
  /** Told what a thread reports by itself (progress, say). */
  onReport?: (report: unknown) => void
  /** Told when a thread ended unasked; it is replaced. */
  onDeath?: (error: Error) => void
}

/** Worker threads that start from one file, whose calls are its exported handlers. */
export interface Threads<Handlers> {
  call<Name extends keyof Handlers & string>(name: Name, argument: Argument<Handlers[Name]>): Promise<Answer<Handlers[Name]>>
  /** What the threads found while they started, one each. */
  findings: unknown[]
  close(): Promise<void>
}

type Handler = (argument: never) => unknown
type Argument<H> = H extends (argument: infer A) => unknown ? A : never
type Answer<H> = H extends Handler ? Exclude<Awaited<ReturnType<H>>, Failure> : never

/** How a handler's error crosses to the caller's thread; `detail` is for the log. */
interface Failure {
  failure: ErrorShape & { detail: string }
}

/** How a thread says that it can take calls, and what it found while it started. */
interface Ready {
  ready: unknown
}

/** Called by a thread's file when it can take calls; the finding goes into `findings` of its pool. */
export function reportReady(finding: unknown = null): void {
  if (!isMainThread) parentPort?.postMessage({ ready: finding } satisfies Ready)
}

/** Wraps a handler of a thread's file so that its errors reach the caller with their code and status. */
export function handler<A, R>(run: (argument: A) => R | Promise<R>): (argument: A) => Promise<R | Failure> {
  return async (argument) => {
    try {
      return await run(argument)
    } catch (error) {
      return { failure: { ...toErrorShape(error), detail: String((error as Error)?.stack ?? error) } }
    }
  }
}

/**
 * Starts threads and resolves when each has reported that it is ready; rejects with the error of one that could not
 * start. A thread that dies later rejects its calls with WORKER_DIED and is replaced.
 */
export async function startThreads<Handlers>(file: URL, options: ThreadsOptions): Promise<Threads<Handlers>> {
  const pool = new Piscina({
    filename: file.href,
    minThreads: options.count,
    maxThreads: options.count,
    concurrentTasksPerWorker: options.callsPerThread ?? 1,
    idleTimeout: Infinity,
    // A thread that sleeps in Atomics.wait runs no timers, and those between calls are what the searcher lives by.
    atomics: 'disabled',
    workerData: options.workerData
  })
  let running = false
  let lastDeath: Error | undefined
  // All calls that a thread held reject with one error: it is one death.
  const onDeath = (error: Error) => {
    if (running && error !== lastDeath) options.onDeath?.(error)
    lastDeath = error
  }
  pool.on('error', onDeath)
  const findings = await allReady(pool, options).catch(async (error) => {
    await end(pool)
    throw error
  })
  running = true
  return {
    findings,
    call: async (name, argument) => {
      const answer = await pool.run(argument, { name }).catch((error: Error) => {
        onDeath(error)
        throw Object.assign(new WorkerDied(), { cause: error })
      })
      if (isFailure(answer)) throw Object.assign(fromErrorShape(answer.failure), { cause: answer.failure.detail })
      return answer
    },
    close: async () => {
      running = false
      await end(pool)
    }
  }
}

async function end(pool: Piscina): Promise<void> {
  // A thread that failed may exit after destroy() is done, and Piscina 5.3 would replace it then.
  pool.options.minThreads = 0
  await pool.destroy()
}

function isFailure(answer: unknown): answer is Failure {
  return typeof answer === 'object' && answer !== null && 'failure' in answer
}

function allReady(pool: Piscina, { count, onReport }: ThreadsOptions): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    const findings: unknown[] = []
    pool.on('message', (message: unknown) => {
      if (!isReady(message)) return onReport?.(message)
      findings.push(message.ready)
      if (findings.length === count) {
        pool.off('error', reject)
        resolve(findings)
      }
    })
    pool.once('error', reject)
  })
}

function isReady(message: unknown): message is Ready {
  return typeof message === 'object' && message !== null && 'ready' in message
}
