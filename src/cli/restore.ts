import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { Command } from 'commander'
import { host } from './host.js'
import { withService, type ServiceOptions } from './service.js'
import { withStop } from './with-stop.js'

interface RestoreOptions extends ServiceOptions {
  collection?: string
  replace?: boolean
}

const EXAMPLES = `
Examples:
  $ semblance restore pets.sqlite                          under its original name
  $ semblance restore pets.sqlite --collection pets-old    under another name
  $ semblance restore pets.sqlite --replace                replaces a collection of this name`

/** `semblance restore`. */
export function restoreCommand(): Command {
  return withService(new Command('restore'))
    .description('Restore a collection from a backup in a running service.')
    .argument('<file>', 'file of the backup')
    .option('--collection <name>', 'name of the restored collection (default: its original name)')
    .option('--replace', 'replace an existing collection of this name')
    .addHelpText('after', EXAMPLES)
    .action(runRestore)
}

async function runRestore(
  file: string,
  { collection, replace = false, ...options }: RestoreOptions
): Promise<void> {
  const { fileDigest } = await import('../collections/file-digest.js')
  const { backupCollection } = await import('../collections/backups/read-backup.js')
  const { size } = await stat(file)
  const name = collection ?? backupCollection(file)
  const sha256 = await fileDigest(file)
  await withStop(options, async (service, signal) => {
    const { transferProgress } = await import('./transfer-progress.js')
    const progress = transferProgress(host().stderr, basename(file))
    const query = new URLSearchParams({ sha256, ...(replace && { replace: 'true' }) })
    let sent = 0
    const counted = async function* () {
      for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
        yield chunk
        progress.onProgress((sent += (chunk as Buffer).length), size)
      }
    }
    try {
      const answer = await service.send(`/v1/collections/${encodeURIComponent(name)}/restore?${query}`, {
        method: 'POST',
        signal,
        headers: { 'content-type': 'application/vnd.sqlite3', 'content-length': String(size) },
        body: ReadableStream.from(counted()) as ReadableStream<Uint8Array>
      })
      const { records } = (await answer.json()) as { records: number }
      progress.stop()
      host().stdout.write(`Restored ${name}: ${records} records.\n`)
    } finally {
      progress.stop()
    }
  })
}
