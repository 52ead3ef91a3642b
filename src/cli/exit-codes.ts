import { CommanderError } from 'commander'

/** What the shell is told; `semblance --help` lists them. */
export const EXIT = { failed: 1, usage: 2, unreachable: 69 } as const

/** A command line that asks for what can't be. */
export class UsageError extends Error {}

/**
 * The service is not there, or does not come up: a TypeError, as fetch throws, by which the client knows a
 * lost connection. 69 is EX_UNAVAILABLE of sysexits.h.
 */
export class UnreachableError extends TypeError {}

/**
 * The exit code of a command that ended with an error. Help and version end with an error of commander's,
 * too.
 */
export function exitCodeOf(error: unknown): number {
  if (error instanceof StoppedEarly) return exitCodeOf(error.cause)
  if (error instanceof CommanderError)
    return ['commander.helpDisplayed', 'commander.version'].includes(error.code) ? 0 : EXIT.usage
  if (error instanceof UsageError) return EXIT.usage
  return error instanceof UnreachableError ? EXIT.unreachable : EXIT.failed
}

/**
 * A command that ended before all was done. It is told as its cause is, with what was done until then and how
 * to continue.
 */
export class StoppedEarly extends Error {
  /** What was done until then, and how to continue: sentences. */
  readonly soFar: string

  constructor(reason: string, { cause, soFar }: { cause: unknown; soFar: string }) {
    super(`${reason} ${soFar}`, { cause })
    this.soFar = soFar
  }
}
