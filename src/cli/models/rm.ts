import { Command } from 'commander'
import { host } from '../host.js'
import { stopSignal } from '../stop-signal.js'

interface RmOptions {
  force?: boolean
  modelsDir?: string
}

/** `semblance models rm`. */
export function rmCommand(): Command {
  return new Command('rm')
    .description('Remove a package from MODELS_DIR, including the files of an unfinished pull.')
    .argument('<name>', "name of the package, as 'models list' shows it")
    .option('--force', "remove it even if it was not pulled and can't be pulled again")
    .action(runRm)
}

async function runRm(name: string, options: RmOptions): Promise<void> {
  const { removePackage } = await import('../../hub/remove.js')
  const { modelsConfig } = await import('./models-config.js')
  const { MODELS_DIR: modelsDir } = modelsConfig(options)
  const { signal, release } = stopSignal()
  const onWait = (holder: string) =>
    void host().stderr.write(`The package is being pulled (${holder}): waiting for the pull to end.\n`)
  const removed = await removePackage({
    name,
    modelsDir,
    signal,
    onWait,
    force: options.force ?? false
  }).finally(release)
  host().stdout.write(
    removed === 'package' ? `Removed ${name}.\n` : `Removed the files of an unfinished pull of ${name}.\n`
  )
}
