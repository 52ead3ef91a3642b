/** How often the event loop is looked at, in milliseconds. */
const LOOK_MS = 100
/** What is left of a lag at the next look: it is remembered for about a second. */
const KEPT = 0.8

/**
 * How late the event loop was lately. What comes in waits for a turn of it, unseen, and each answer of a
 * worker waits for another one: when the thread gets too little of a processor, that is most of a request's
 * wait.
 */
export class EventLoopLag {
  #lookedAt = performance.now()
  #ms = 0
  readonly #timer = setInterval(() => this.#look(), LOOK_MS).unref()

  /** Milliseconds by which the loop was late; the longest lag of late, which fades. */
  get ms(): number {
    return Math.max(this.#ms, performance.now() - this.#lookedAt - LOOK_MS)
  }

  /** Forgets what was seen. */
  reset(): void {
    this.#ms = 0
    this.#lookedAt = performance.now()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const now = performance.now()
    this.#ms = Math.max(this.#ms * KEPT, now - this.#lookedAt - LOOK_MS)
    this.#lookedAt = now
  }
}
