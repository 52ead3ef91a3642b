import { Command } from 'commander'
import { version } from '../version.js'
import { backupCommand } from './backup.js'
import { classifyCommand } from './classify/command.js'
import { collectionsCommand } from './collections/command.js'
import { completeCommand, completionCommand } from './completion.js'
import { doctorCommand } from './doctor.js'
import { evaluateCommand } from './evaluate/command.js'
import { exportCommand } from './export.js'
import { host } from './host.js'
import { indexCommand } from './index/command.js'
import { keysCommand } from './keys/command.js'
import { modelsCommand } from './models/command.js'
import { restoreCommand } from './restore.js'
import { searchCommand } from './search/command.js'
import { serveCommand } from './serve-command.js'
import { snapshotCommand } from './snapshot.js'

const HELP = `
Which service:
  The one at --url or SEMBLANCE_URL; else the one at http://localhost:8080; else the command starts
  a service of its own over DATA_DIR (./data) and stops it at the end. Set SEMBLANCE_API_KEY to an
  API key.

Exit codes:
  0    success
  1    something failed; standard error says what
  2    invalid command line
  69   the service can't be reached or does not start
  130  stopped by Ctrl-C

Examples:
  $ semblance index ~/Pictures && semblance search "a dog on a beach"
  $ semblance classify photo.jpg --labels cat,dog,bird
  $ semblance serve`

/**
 * The whole command line. What commands run is imported when they run, so that help, completion and mistakes
 * need not wait for it. Ends with an error of commander's where help, version or a mistake ends it.
 */
export function createProgram(): Command {
  const program: Command = new Command('semblance')
    .description('Self-hosted cross-modal retrieval.')
    .version(version)
    .addHelpText('after', HELP)
    .addCommand(serveCommand())
    .addCommand(indexCommand())
    .addCommand(searchCommand())
    .addCommand(classifyCommand())
    .addCommand(evaluateCommand())
    .addCommand(collectionsCommand())
    .addCommand(snapshotCommand())
    .addCommand(modelsCommand())
    .addCommand(backupCommand())
    .addCommand(restoreCommand())
    .addCommand(exportCommand())
    .addCommand(keysCommand())
    .addCommand(doctorCommand())
    .addCommand(completionCommand())
    .addCommand(
      completeCommand(() => program),
      { hidden: true }
    )
  const output = {
    writeOut: (text: string) => void host().stdout.write(text),
    writeErr: (text: string) => void host().stderr.write(text)
  }
  for (const command of allOf(program)) command.exitOverride().configureOutput(output)
  return program
}

/** A command and all below it. */
function allOf(command: Command): Command[] {
  return [command, ...command.commands.flatMap((below) => allOf(below))]
}
