/**
 * Time constants of what counts as recent, in milliseconds of waiting: some batches of a slow tower, and soon
 * over a hiccup; and a short one, which sees soon that the machine has slowed down. The longer wait of both
 * counts.
 */
const RECENT_MS = [5000, 1000]

/** Less measured time than this says nothing yet. */
const TRUSTED_MS = 250

/**
 * How fast a queue is worked off, and so how long it takes. By Little's law (1961) the wait of who joins a
 * queue is its length over its throughput. The throughput is that of the recent past: entries and
 * milliseconds are summed with weights that fall by exp(-dt / 5 s), the moving average of unevenly spaced
 * series (Eckner 2012), as a ratio, so that it has no bias at the start. Only the time from one completion to
 * the next counts throughout which others waited: a queue that idles, or whose workers were not all needed,
 * says nothing of what they can do.
 */
export class Throughput {
  readonly #windows = RECENT_MS.map((recentMs) => new Window(recentMs))
  /** When the last run ended, if entries have waited ever since. */
  #since: number | undefined

  /** A run of so many entries ended; `waiting` are those that wait now. */
  ended(entries: number, { now, waiting }: { now: number; waiting: number }): void {
    if (this.#since !== undefined) {
      for (const window of this.#windows) window.add(entries, now - this.#since)
    }
    this.#since = waiting > 0 ? now : undefined
  }

  /** Nothing waits any more. */
  emptied(): void {
    this.#since = undefined
  }

  /**
   * Milliseconds until so many entries are worked off; 0 while nothing is known. A run that is overdue
   * lengthens it.
   */
  waitMs(entries: number, now: number): number {
    const elapsed = this.#since === undefined ? 0 : now - this.#since
    return Math.max(...this.#windows.map((window) => window.waitMs(entries, elapsed)))
  }
}

/** Sums of the recent past by one time constant. */
class Window {
  readonly #recentMs: number
  #entries = 0
  #ms = 0
  #runs = 0

  constructor(recentMs: number) {
    this.#recentMs = recentMs
  }

  add(entries: number, elapsed: number): void {
    const kept = Math.exp(-elapsed / this.#recentMs)
    this.#entries = this.#entries * kept + entries
    this.#ms = this.#ms * kept + elapsed
    this.#runs = this.#runs * kept + 1
  }

  /**
   * `elapsed` is the time since the last run ended: the age of the one under way, beyond what one takes,
   * counts.
   */
  waitMs(entries: number, elapsed: number): number {
    if (entries === 0 || this.#entries === 0) return 0
    const ms = this.#ms + Math.max(0, elapsed - this.#ms / this.#runs)
    return ms < TRUSTED_MS ? 0 : (entries * ms) / this.#entries
  }
}
