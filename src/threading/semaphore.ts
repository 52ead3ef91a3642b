import { QueueFull } from '../errors.js'
import { orAborted } from './or-aborted.js'

/** Lets so many pieces of long work run at a time; more are refused, or wait. */
export class Places {
  #taken = 0
  readonly #count: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.#count = count
  }

  /** Takes a place; what it returns gives it back, once. Throws QUEUE_FULL when there is none. */
  take(): () => void {
    if (this.#taken === this.#count) throw new QueueFull()
    this.#taken++
    let isTaken = true
    return () => {
      if (!isTaken) return
      isTaken = false
      this.#taken--
      this.#waiting.shift()?.()
    }
  }

  /** Waits for a place, after those who came before, and takes it. Throws the signal's reason. */
  async next(signal: AbortSignal): Promise<() => void> {
    while (this.#taken === this.#count) {
      let call = () => {}
      const called = new Promise<void>((resolve) => (call = resolve))
      this.#waiting.push(call)
      try {
        await orAborted(called, signal)
      } catch (error) {
        const at = this.#waiting.indexOf(call)
        if (at >= 0) this.#waiting.splice(at, 1)
        // It was called already: the place is for the next one.
        else this.#waiting.shift()?.()
        throw error
      }
    }
    return this.take()
  }
}
