#!/usr/bin/env node
import { CommanderError } from 'commander'
import { SemblanceError } from '../client/semblance-error.js'
import { exitCodeOf, StoppedEarly } from './exit-codes.js'
import { printable } from '../terminal/printable.js'
import { createProgram } from './program.js'

// Whoever reads has enough, as head has: a command is done then.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

try {
  await createProgram().parseAsync()
} catch (error) {
  // Commander has said itself what is wrong with the command line.
  if (!(error instanceof CommanderError)) process.stderr.write(`semblance: ${reasonOf(error as Error)}\n`)
  process.exitCode = exitCodeOf(error)
}

function reasonOf(error: Error): string {
  const cause = error instanceof StoppedEarly ? error.cause : error
  const code = cause instanceof SemblanceError && cause.code !== 'UNKNOWN' ? `${cause.code}: ` : ''
  return printable(code + error.message)
}
