/**
 * A command that ended before all was done. It is told as its cause is, with what was done until then and how
 * to go on.
 */
export class StoppedEarly extends Error {
  /** What was done until then, and how to go on: sentences. */
  readonly soFar: string

  constructor(reason: string, { cause, soFar }: { cause: unknown; soFar: string }) {
    super(`${reason} ${soFar}`, { cause })
    this.soFar = soFar
  }
}
