import { Command } from 'commander'
import type { FileKey } from '../../access/key-file.js'
import { table } from '../../terminal/table.js'
import { host } from '../host.js'

interface ListOptions {
  json?: boolean
  file?: string
}

/** `semblance keys list`: the keys without their digests. */
export function listKeysCommand(): Command {
  return new Command('list')
    .description('List the keys in the file.')
    .option('--json', 'print JSON')
    .action(runList)
}

async function runList(options: ListOptions): Promise<void> {
  const { readKeyFile } = await import('../../access/key-file.js')
  const { keysFile } = await import('./keys-file.js')
  const path = keysFile(options)
  const { file, exposure } = await readKeyFile(path)
  if (exposure) host().stderr.write(`${exposure}\n`)
  if (options.json) host().stdout.write(`${JSON.stringify(file.keys.map(described), null, 2)}\n`)
  else if (file.keys.length === 0) host().stdout.write(`There are no keys in ${path}.\n`)
  else
    host().stdout.write(
      table([['NAME', 'SCOPE', 'COLLECTIONS', 'A MINUTE', 'CREATED', 'EXPIRES'], ...file.keys.map(row)])
    )
}

function described({
  name,
  scope,
  collections,
  rate_limit_per_minute,
  created_at,
  expires_at
}: FileKey): Omit<FileKey, 'sha256'> {
  return { name, scope, collections, rate_limit_per_minute, created_at, expires_at }
}

function row({
  name,
  scope,
  collections,
  rate_limit_per_minute: limit,
  created_at: created,
  expires_at: expires
}: FileKey): string[] {
  const expiry =
    expires === undefined
      ? '-'
      : `${expires.slice(0, 10)}${Date.parse(expires) <= Date.now() ? ' (expired)' : ''}`
  return [
    name,
    scope,
    collections?.join(',') ?? 'all',
    limit === undefined ? '-' : String(limit),
    created?.slice(0, 10) ?? '-',
    expiry
  ]
}
