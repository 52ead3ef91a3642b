/**
 * Refuses a request that waits longer than it may: all that is still there of it, and only while nothing of
 * it has begun. What a request brings may take longer than the bound by itself, so that one which was begun
 * is finished.
 */
export class Lateness {
  readonly #leave = new Set<(reason: Error) => void>()
  #timer: NodeJS.Timeout | undefined

  constructor(boundMs: number, reason: () => Error) {
    this.#timer = setTimeout(() => {
      const refusal = reason()
      for (const leave of [...this.#leave]) leave(refusal)
    }, boundMs)
  }

  add(leave: (reason: Error) => void): void {
    this.#leave.add(leave)
  }

  /** One that has its answer. */
  remove(leave: (reason: Error) => void): void {
    this.#leave.delete(leave)
    if (this.#leave.size === 0) this.begun()
  }

  /** Something of the request has begun, so that it is late no more. */
  begun(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
