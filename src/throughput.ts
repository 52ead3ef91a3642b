/** Time constant of what counts as recent, in milliseconds of waiting: some batches of a slow tower, and soon over a hiccup. */
const RECENT_MS = 5000

/** Less measured time than this says nothing yet. */
const TRUSTED_MS = 250

/**
 * How fast a queue is worked off, and so how long it takes. By Little's law (1961) the wait of who joins a queue is its length
 * over its throughput. The throughput is that of the recent past: entries and milliseconds are summed with weights that fall
 * by exp(-dt / 5 s), the moving average of unevenly spaced series (Eckner 2012), as a ratio, so that it has no bias at the
 * start. Only the time from one completion to the next counts throughout which others waited: a queue that idles, or whose
 * workers were not all needed, says nothing of what they can do.
 */
export class Throughput {
  #entries = 0
  #ms = 0
  #runs = 0
  /** When the last run ended, if entries have waited ever since. */
  #since: number | undefined

  /** A run of so many entries ended; `waiting` are those that wait now. */
  ended(entries: number, { now, waiting }: { now: number; waiting: number }): void {
    if (this.#since !== undefined) {
      const elapsed = now - this.#since
      const kept = Math.exp(-elapsed / RECENT_MS)
      this.#entries = this.#entries * kept + entries
      this.#ms = this.#ms * kept + elapsed
      this.#runs = this.#runs * kept + 1
    }
    this.#since = waiting > 0 ? now : undefined
  }

  /** Nothing waits any more. */
  emptied(): void {
    this.#since = undefined
  }

  /** Milliseconds until so many entries are worked off; 0 while nothing is known. A run that is overdue lengthens it. */
  waitMs(entries: number, now: number): number {
    if (entries === 0 || this.#entries === 0) return 0
    const overdue = this.#since === undefined ? 0 : Math.max(0, now - this.#since - this.#ms / this.#runs)
    const ms = this.#ms + overdue
    return ms < TRUSTED_MS ? 0 : (entries * ms) / this.#entries
  }
}
