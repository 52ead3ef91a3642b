import { randomBytes } from 'node:crypto'
import { Command, InvalidArgumentError, Option } from 'commander'
import { digestOf, SCOPES, type Scope } from '../../access/api-key.js'
import type { FileKey } from '../../access/key-file.js'
import { host } from '../host.js'

interface CreateOptions {
  name: string
  scope: Scope
  collections?: string[]
  rateLimit?: number
  /** Milliseconds since 1970. */
  expires?: number
  file?: string
}

/** Bytes of randomness in a key. */
const KEY_BYTES = 32
/** What keys begin with, so that scanners for secrets find them: `smb_[A-Za-z0-9_-]{43}`. */
const KEY_PREFIX = 'smb_'
const HOURS: Record<string, number> = { h: 1, d: 24, w: 7 * 24, y: 365 * 24 }

/** `semblance keys create`: prints the key, and keeps only its digest. */
export function createCommand(): Command {
  return new Command('create')
    .description('Create a key, add its SHA-256 to the file, and print the key, which cannot be shown again.')
    .requiredOption('--name <name>', 'name of the key in logs and in the audit log')
    .addOption(
      new Option(
        '--scope <scope>',
        'read; write: also records; admin: also collections, jobs, backups and exports'
      )
        .choices(SCOPES)
        .makeOptionMandatory()
    )
    .option(
      '--collections <names>',
      'collections that the key has access to, comma-separated; prefixes end with *  (default: all)',
      (names) => names.split(',')
    )
    .option(
      '--rate-limit <number>',
      'requests a minute; 0 sets no limit (default: RATE_LIMIT_PER_MINUTE)',
      parseCount
    )
    .option(
      '--expires <duration>',
      'how long the key is valid: 12h, 90d, 4w, 1y (default: no expiry)',
      parseExpiry
    )
    .action(runCreate)
}

async function runCreate({
  name,
  scope,
  collections,
  rateLimit,
  expires,
  file
}: CreateOptions): Promise<void> {
  const { changeKeyFile } = await import('../../access/change-key-file.js')
  const { keysFile } = await import('./keys-file.js')
  const path = keysFile({ file })
  const key = `${KEY_PREFIX}${randomBytes(KEY_BYTES).toString('base64url')}`
  const entry: FileKey = {
    name,
    sha256: digestOf(key).toString('hex'),
    scope,
    ...(collections && { collections }),
    ...(rateLimit !== undefined && { rate_limit_per_minute: rateLimit }),
    created_at: new Date().toISOString(),
    ...(expires !== undefined && { expires_at: new Date(expires).toISOString() })
  }
  await changeKeyFile(path, (keys) => {
    if (keys.some((other) => other.name === name))
      throw new Error(`${path} already has a key '${name}'; use another name, or revoke that key first.`)
    return [...keys, entry]
  })
  host().stderr.write(`Added '${name}' to ${path}. Save the key now; it is not shown again:\n`)
  host().stdout.write(`${key}\n`)
}

function parseCount(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a number of requests.')
  return Number(text)
}

function parseExpiry(text: string): number {
  const [, count, unit] = /^([1-9]\d{0,4})([hdwy])$/.exec(text) ?? []
  if (!unit) throw new InvalidArgumentError('It must be a duration such as 12h, 90d, 4w or 1y.')
  return Date.now() + Number(count) * HOURS[unit] * 3_600_000
}
