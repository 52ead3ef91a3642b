import { CommanderError } from 'commander'
import { SemblanceError } from '../client/semblance-error.js'
import { printable } from '../terminal/printable.js'
import { exitCodeOf, StoppedEarly } from './exit-codes.js'
import { host } from './host.js'
import { createProgram } from './program.js'

/** Runs a command, and says on standard error why it failed; the exit code is the host's. */
export async function runCommandLine(args: string[]): Promise<void> {
  try {
    await createProgram().parseAsync(args, { from: 'user' })
  } catch (error) {
    // Commander has said itself what is wrong with the command line.
    if (!(error instanceof CommanderError)) host().stderr.write(`semblance: ${reasonOf(error as Error)}\n`)
    host().exitCode = exitCodeOf(error)
  }
}

function reasonOf(error: Error): string {
  const cause = error instanceof StoppedEarly ? error.cause : error
  const code = cause instanceof SemblanceError && cause.code !== 'UNKNOWN' ? `${cause.code}: ` : ''
  return printable(code + error.message)
}
