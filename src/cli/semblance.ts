#!/usr/bin/env node
import { runCommandLine } from './run-command-line.js'

// Whoever reads has enough, as head has: a command is done then.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

await runCommandLine(process.argv.slice(2))
