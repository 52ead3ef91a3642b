import { Command } from 'commander'
import { host } from '../host.js'

/** `semblance keys revoke`. */
export function revokeCommand(): Command {
  return new Command('revoke')
    .description('Remove a key from the file.')
    .argument('<name>', "name of the key, as 'keys list' shows it")
    .action(runRevoke)
}

async function runRevoke(name: string, options: { file?: string }): Promise<void> {
  const { changeKeyFile } = await import('../../access/change-key-file.js')
  const { readKeyFile } = await import('../../access/key-file.js')
  const { keysFile } = await import('./keys-file.js')
  const path = keysFile(options)
  await readKeyFile(path)
  await changeKeyFile(path, (keys) => {
    const left = keys.filter((key) => key.name !== name)
    if (left.length === keys.length)
      throw new Error(`There is no key '${name}' in ${path}: see 'semblance keys list'.`)
    return left
  })
  host().stdout.write(`Revoked '${name}'.\n`)
}
