import { QueueFull } from './errors.js'

/** Lets so many pieces of long work run at a time, and refuses more. */
export class Places {
  #taken = 0
  readonly #count: number

  constructor(count: number) {
    this.#count = count
  }

  /** Takes a place; what it returns gives it back, once. Throws QUEUE_FULL when there is none. */
  take(): () => void {
    if (this.#taken === this.#count) throw new QueueFull()
    this.#taken++
    let isTaken = true
    return () => {
      if (isTaken) this.#taken--
      isTaken = false
    }
  }
}
