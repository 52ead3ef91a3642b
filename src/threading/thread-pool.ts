import { isMainThread, parentPort } from 'node:worker_threads'
import { CircuitBreaker, type CircuitState } from './circuit-breaker.js'
import {
  fromErrorShape,
  retryLater,
  toErrorShape,
  WorkerDied,
  WorkersDown,
  type ErrorShape
} from '../errors.js'
import { startThread, type Ready, type Thread, type ThreadOptions } from './thread.js'

export interface ThreadPoolOptions extends ThreadOptions {
  /** What the pool is called where its state is shown. */
  name: string
  count: number
  /** Told when a thread ended unasked, or its replacement could not be started. */
  onDeath?: (error: Error) => void
  /** Of its restarts; for tests. */
  circuit?: CircuitBreaker
}

/** Worker threads that start from one file, whose calls are its exported handlers. */
export interface ThreadPool<Handlers> {
  call<Name extends keyof Handlers & string>(
    name: Name,
    argument: Argument<Handlers[Name]>
  ): Promise<Answer<Handlers[Name]>>
  /** What the threads found while they started, one each. */
  findings: unknown[]
  readonly state: PoolState
  close(): Promise<void>
}

/** How a pool of threads is. */
export interface PoolState {
  name: string
  /** Threads that are wanted, and those that live. */
  threads: number
  alive: number
  circuit: CircuitState
  /** Starts in a row that failed. */
  failedStarts: number
}

type Handler = (argument: never) => unknown
type Argument<H> = H extends (argument: infer A) => unknown ? A : never
type Answer<H> = H extends Handler ? Exclude<Awaited<ReturnType<H>>, Failure> : never

/** How a handler's error crosses to the caller's thread; `detail` is for the log. */
export interface Failure {
  failure: ErrorShape & { detail: string }
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
 * Starts threads and resolves when each has reported that it is ready; rejects with the error of one that
 * could not start. A thread that dies later rejects its calls with WORKER_DIED and is replaced at once, until
 * deaths are so frequent that the circuit opens. Calls are then rejected with WORKERS_DOWN until the threads
 * have been started again after a pause.
 */
export async function startThreadPool<Handlers>(
  file: URL,
  options: ThreadPoolOptions
): Promise<ThreadPool<Handlers>> {
  const pool = new Pool(file, options)
  const findings = await pool.start()
  return {
    findings,
    get state() {
      return pool.state
    },
    call: async (name, argument) => {
      const answer = await pool.call(name, argument)
      if (isFailure(answer))
        throw Object.assign(fromErrorShape(answer.failure), { cause: answer.failure.detail })
      return answer as Answer<Handlers[typeof name]>
    },
    close: () => pool.close()
  }
}

/** The slot of one thread in a pool. */
interface Slot {
  thread?: Thread
  starting?: Promise<Thread>
}

class Pool {
  readonly #file: URL
  readonly #options: ThreadPoolOptions
  readonly #circuit: CircuitBreaker
  readonly #slots: Slot[]
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(file: URL, options: ThreadPoolOptions) {
    this.#file = file
    this.#options = options
    this.#circuit = options.circuit ?? new CircuitBreaker()
    this.#slots = Array.from({ length: options.count }, () => ({}))
  }

  get state(): PoolState {
    const { state: circuit, failedStarts } = this.#circuit
    return {
      name: this.#options.name,
      threads: this.#slots.length,
      alive: this.#living().length,
      circuit,
      failedStarts
    }
  }

  /** The findings of all threads. When one can't be started none is left. */
  async start(): Promise<unknown[]> {
    const started = await Promise.allSettled(this.#slots.map((slot) => this.#fill(slot)))
    const failed = started.find((result) => result.status === 'rejected')
    if (!failed) return this.#living().map(({ finding }) => finding)
    await this.close()
    throw failed.reason
  }

  async call(name: string, argument: unknown): Promise<unknown> {
    // Chosen and called in one go: of calls that come at once each counts for the next.
    const thread = this.#free() ?? (await this.#start())
    try {
      const answer = await thread.call(name, argument)
      this.#circuit.recordAnswer()
      return answer
    } catch (error) {
      // What can't be cloned fails without the thread.
      throw thread.isAlive ? error : Object.assign(new WorkerDied(), { cause: error })
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await Promise.all(
      this.#slots.map(
        async ({ thread, starting }) => (await starting?.catch(() => undefined), await thread?.close())
      )
    )
  }

  #living(): Thread[] {
    return this.#slots.flatMap(({ thread }) => (thread?.isAlive ? thread : []))
  }

  /** The living thread with the fewest calls, if one lives. */
  #free(): Thread | undefined {
    if (this.#circuit.state === 'open')
      throw retryLater(new WorkersDown(this.#options.name), this.#circuit.retryInMs)
    const [first, ...others] = this.#living()
    return others.reduce((least, thread) => (thread.calls < least.calls ? thread : least), first)
  }

  /** The first thread that comes. */
  async #start(): Promise<Thread> {
    const starting = this.#slots.flatMap((slot) => slot.starting ?? [])
    if (this.#isClosed || starting.length === 0) throw new WorkerDied()
    await Promise.any(starting).catch(() => undefined)
    return this.#free() ?? this.#start()
  }

  /** Starts the thread of a slot, and replaces it when it dies later. */
  #fill(slot: Slot): Promise<Thread> {
    slot.starting = startThread(this.#file, this.#options)
      .then(async (thread) => {
        if (this.#isClosed) await thread.close()
        thread.onDeath = (cause) => this.#onDeath(slot, cause)
        slot.thread = thread
        return thread
      })
      .finally(() => (slot.starting = undefined))
    return slot.starting
  }

  #onDeath(slot: Slot, cause: Promise<Error>): void {
    if (this.#isClosed) return
    slot.thread = undefined
    this.#circuit.recordDeath()
    void cause.then((error) => this.#options.onDeath?.(error))
    if (this.#circuit.state === 'open') this.#retryLater()
    else this.#fill(slot).catch((failure) => this.#onFailedStart(failure))
  }

  #onFailedStart(error: Error): void {
    if (this.#isClosed) return
    this.#circuit.recordFailedStart()
    this.#options.onDeath?.(error)
    this.#retryLater()
  }

  #retryLater(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#retry(), this.#circuit.retryInMs).unref()
  }

  async #retry(): Promise<void> {
    const empty = this.#slots.filter(({ thread, starting }) => !thread?.isAlive && !starting)
    const started = await Promise.allSettled(empty.map((slot) => this.#fill(slot)))
    const failed = started.find((result) => result.status === 'rejected')
    if (failed) this.#onFailedStart(failed.reason)
    else this.#circuit.recordStart()
  }
}

function isFailure(answer: unknown): answer is Failure {
  return typeof answer === 'object' && answer !== null && 'failure' in answer
}
