import { Command } from 'commander'
import { createCommand } from './create.js'
import { listKeysCommand } from './list.js'
import { revokeCommand } from './revoke.js'

/** `semblance keys`: the API keys in API_KEYS_FILE. */
export function keysCommand(): Command {
  const keys = new Command('keys').description(
    'Create, list and revoke the API keys in a file; a running service picks up changes.'
  )
  for (const command of [createCommand(), listKeysCommand(), revokeCommand()]) {
    keys.addCommand(command.option('--file <path>', 'file of API keys (default: API_KEYS_FILE)'))
  }
  return keys
}
