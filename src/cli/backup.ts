import { resolve } from 'node:path'
import { Command } from 'commander'
import { bytes } from '../hub/bytes.js'
import { fetchFile } from './fetch-file.js'
import { host } from './host.js'
import { withService, type ServiceOptions } from './service.js'
import { withStop } from './with-stop.js'

interface BackupOptions extends ServiceOptions {
  output?: string
  name?: string
  keep?: boolean
}

const EXAMPLES = `
Examples:
  $ semblance backup pets -o pets.sqlite      download a backup of 'pets' and keep none in the service
  $ semblance backup pets --name monday       keep one in the service's data folder
  $ SEMBLANCE_API_KEY=... semblance backup pets -o pets.sqlite --url https://search.example.org`

/** `semblance backup`. */
export function backupCommand(): Command {
  return withService(new Command('backup'))
    .description('Make a backup of a collection of a running service, and download it.')
    .argument('<collection>')
    .option(
      '-o, --output <file>',
      "file to download the backup to (default: it stays in the service's data folder)"
    )
    .option('--name <name>', 'name of the backup in the service (default: the current time)')
    .option('--keep', 'keep the backup in the service after the download')
    .addHelpText('after', EXAMPLES)
    .action(runBackup)
}

async function runBackup(
  collection: string,
  { output, name, keep = false, ...options }: BackupOptions
): Promise<void> {
  await withStop(options, async (service, signal) => {
    const made = await service.api.post('/v1/collections/{collection}/backups', {
      params: { path: { collection } },
      body: name === undefined ? {} : { name },
      signal
    })
    const size = `${made.records} records, ${bytes(made.bytes)}, SHA-256 ${made.sha256}`
    if (output === undefined)
      host().stdout.write(
        `Made the backup ${made.name} of ${collection} in the service's data folder: ${size}.\n`
      )
    else {
      const target = resolve(output)
      try {
        await fetchFile(service, {
          path: `/v1/collections/${encodeURIComponent(collection)}/backups/${made.name}`,
          target,
          signal,
          expected: made
        })
      } finally {
        // With a signal of its own: after Ctrl-C nothing should be left there either.
        if (!keep)
          await service.api.delete('/v1/collections/{collection}/backups/{name}', {
            params: { path: { collection, name: made.name } },
            signal: AbortSignal.timeout(CLEAR_UP_MS)
          })
      }
      host().stdout.write(`Wrote a backup of ${collection} to ${target}: ${size}.\n`)
    }
    if (made.lost_images > 0)
      throw new Error(
        `${made.lost_images} kept images are missing or damaged in the service's data folder, and are ` +
          `not in the backup; everything else is. Run 'semblance doctor' there to list them.`
      )
  })
}

const CLEAR_UP_MS = 10_000
