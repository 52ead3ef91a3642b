import { resolve } from 'node:path'
import { readKeysConfig } from '../../config.js'
import { host } from '../host.js'

/**
 * The file of API keys that the command line or the environment names, as an absolute path. Throws an Error
 * where neither does.
 */
export function keysFile({ file }: { file?: string }): string {
  const path = file ?? readKeysConfig(host().env).API_KEYS_FILE
  if (path === '') throw new Error('The key file is missing: set --file or API_KEYS_FILE.')
  return resolve(path)
}
