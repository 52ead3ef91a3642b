/** The lane of a queue: `interactive` (a caller waits for the response) goes before `bulk` (ingest). */
export type Lane = 'interactive' | 'bulk'

/** How long a caller waits for its call. */
export interface CallOptions {
  /**
   * Aborts when no one waits for the result. Work that has not begun by then is dropped, unless other callers
   * wait for it, and the call rejects with the reason.
   */
  signal?: AbortSignal
  /**
   * When the signal aborts at the latest, on the clock of `performance.now()`. Work that can't be done by
   * then is not begun.
   */
  deadline?: number
  /**
   * Set where a call goes through several queues, which share it: the first one notes when it came, on the
   * clock of `performance.now()`. The bounds of the next ones count from there, and older calls go first.
   * Without it each queue has a bound of its own.
   */
  queued?: { since?: number }
  /**
   * Who may notice, by the time that a call takes, that equal work was done before. Callers with the same
   * name share cached results and work in progress. Callers without a name share with each other, and may
   * notice all work.
   */
  sharing?: string
}
