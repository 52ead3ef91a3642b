/** Callers that wait, in the order in which they came, until there is room for what they bring. */
export class Room {
  readonly #isThere: () => boolean
  readonly #waiting = new Set<{ enter: () => void; reject: (error: unknown) => void }>()

  constructor(isThere: () => boolean) {
    this.#isThere = isThere
  }

  /** Resolves when there is room and it is the caller's turn; rejects with the signal's reason. */
  wait(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    if (this.#waiting.size === 0 && this.#isThere()) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(waiter)
        reject(signal!.reason)
      }
      const settled = () => signal?.removeEventListener('abort', leave)
      const waiter = {
        enter: () => (settled(), resolve()),
        reject: (error: unknown) => (settled(), reject(error))
      }
      this.#waiting.add(waiter)
      signal?.addEventListener('abort', leave, { once: true })
    })
  }

  /** Lets the first one in where there is room, and then the next, once that one has taken its own. */
  open(): void {
    const [first] = this.#waiting
    if (!first || !this.#isThere()) return
    this.#waiting.delete(first)
    first.enter()
    setImmediate(() => this.open())
  }

  /** Turns away those that wait, for good. */
  close(reason: Error): void {
    for (const { reject } of this.#waiting) reject(reason)
    this.#waiting.clear()
  }
}
