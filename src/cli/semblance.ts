#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { doctorCommand } from './doctor-command.js'
import { modelsCommand } from './models.js'
import { serveCommand } from './serve-command.js'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }

const program = new Command('semblance')
  .description('Self-hosted cross-modal retrieval.')
  .version(version)
  .addCommand(serveCommand())
  .addCommand(modelsCommand())
  .addCommand(doctorCommand())

try {
  await program.parseAsync()
} catch (error) {
  process.stderr.write(`semblance: ${(error as Error).message.replaceAll(/\s*\n\s*/g, ' ')}\n`)
  process.exitCode = 1
}
