/**
 * `open` rejects calls; `half_open` admits them again: the first answer closes it, the first death opens
 * it.
 */
export type CircuitState = 'closed' | 'open' | 'half_open'

/**
 * Deaths within the window at which it opens. One death is an input that no thread survives, or memory that
 * ran out once; a thread takes about a second to start, so that five in a minute are a pool that mostly
 * starts.
 */
const DEATHS = 5
const WINDOW_MS = 60_000

/** The first pause, doubled with every opening that follows on another, up to the last. */
const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 60_000

export interface CircuitBreakerOptions {
  /** A clock in milliseconds. */
  now?: () => number
  /** 0 to 1. */
  random?: () => number
}

/**
 * Decides whether a pool of threads may be called, by how its threads die and start. It keeps no timer:
 * `retryInMs` says when to start threads again.
 */
export class CircuitBreaker {
  readonly #now: () => number
  readonly #random: () => number
  #state: CircuitState = 'closed'
  #deaths: number[] = []
  #openings = 0
  #retryAt = 0
  #closedAt = -Infinity
  #failedStarts = 0

  constructor({ now = () => performance.now(), random = Math.random }: CircuitBreakerOptions = {}) {
    this.#now = now
    this.#random = random
  }

  get state(): CircuitState {
    return this.#state
  }

  /** Starts in a row that failed. */
  get failedStarts(): number {
    return this.#failedStarts
  }

  /** Milliseconds until threads are to be started again; 0 where it is not open. */
  get retryInMs(): number {
    return this.#state === 'open' ? Math.max(0, this.#retryAt - this.#now()) : 0
  }

  /** A thread died. Ignored while the circuit is open. */
  recordDeath(): void {
    if (this.#state === 'open') return
    const now = this.#now()
    this.#deaths = [...this.#deaths.filter((at) => now - at < WINDOW_MS), now]
    if (this.#state === 'half_open' || this.#deaths.length >= DEATHS) this.#open()
  }

  /** A thread could not be started: an immediate retry would loop without pause. */
  recordFailedStart(): void {
    this.#failedStarts++
    this.#open()
  }

  /** All threads have started. */
  recordStart(): void {
    this.#failedStarts = 0
    if (this.#state === 'open') this.#state = 'half_open'
  }

  /** A thread answered. */
  recordAnswer(): void {
    if (this.#state !== 'half_open') return
    this.#state = 'closed'
    this.#deaths = []
    this.#closedAt = this.#now()
  }

  /**
   * Half of a pause is random ("equal jitter"), so that pools that died of one cause do not restart together.
   */
  #open(): void {
    const now = this.#now()
    if (this.#state === 'closed' && now - this.#closedAt > WINDOW_MS) this.#openings = 0
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#openings)
    this.#openings++
    this.#state = 'open'
    this.#retryAt = now + pause * (0.5 + 0.5 * this.#random())
  }
}
