import { QueueFull } from '../errors.js'
import { abortable } from './abortable.js'

/** Bounds how many pieces of long work run at a time: others are rejected, or wait. */
export class Semaphore {
  #acquired = 0
  readonly #permits: number
  readonly #waiting: (() => void)[] = []

  constructor(permits: number) {
    this.#permits = permits
  }

  /** Acquires a permit; returns the function that releases it. Throws QUEUE_FULL when none is free. */
  acquireNow(): () => void {
    if (this.#acquired === this.#permits) throw new QueueFull()
    this.#acquired++
    let isAcquired = true
    return () => {
      if (!isAcquired) return
      isAcquired = false
      this.#acquired--
      this.#waiting.shift()?.()
    }
  }

  /** Waits for a permit, in the order of calls, and acquires it. Throws the signal's reason. */
  async acquire(signal: AbortSignal): Promise<() => void> {
    while (this.#acquired === this.#permits) {
      let wake = () => {}
      const woken = new Promise<void>((resolve) => (wake = resolve))
      this.#waiting.push(wake)
      try {
        await abortable(woken, signal)
      } catch (error) {
        const at = this.#waiting.indexOf(wake)
        if (at >= 0) this.#waiting.splice(at, 1)
        // It was woken already: the permit is for the next one.
        else this.#waiting.shift()?.()
        throw error
      }
    }
    return this.acquireNow()
  }
}
