/** Callers that wait for capacity, admitted in the order in which they came. */
export class WaitList {
  readonly #hasCapacity: () => boolean
  readonly #waiting = new Set<{ admit: () => void; reject: (error: unknown) => void }>()

  constructor(hasCapacity: () => boolean) {
    this.#hasCapacity = hasCapacity
  }

  /** Resolves when there is capacity and it is the caller's turn; rejects with the signal's reason. */
  wait(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    if (this.#waiting.size === 0 && this.#hasCapacity()) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiting.delete(waiter)
        reject(signal!.reason)
      }
      const settled = () => signal?.removeEventListener('abort', onAbort)
      const waiter = {
        admit: () => (settled(), resolve()),
        reject: (error: unknown) => (settled(), reject(error))
      }
      this.#waiting.add(waiter)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** Admits the first caller if there is capacity, and the next one once the first has used its share. */
  admit(): void {
    const [first] = this.#waiting
    if (!first || !this.#hasCapacity()) return
    this.#waiting.delete(first)
    first.admit()
    setImmediate(() => this.admit())
  }

  /** Rejects all callers that wait. */
  close(reason: Error): void {
    for (const { reject } of this.#waiting) reject(reason)
    this.#waiting.clear()
  }
}
