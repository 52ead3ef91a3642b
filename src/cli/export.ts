import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Command, Option } from 'commander'
import { SemblanceError } from '../client/semblance-error.js'
import { fetchFile } from './fetch-file.js'
import { withService, type Service, type ServiceOptions } from './service.js'
import { withStop } from './with-stop.js'

interface ExportOptions extends ServiceOptions {
  format: 'ndjson' | 'npy'
  output?: string
  embeddings?: boolean
  images?: boolean
}

const EXAMPLES = `
Examples:
  $ semblance export pets > pets.ndjson                       records, a line of JSON each
  $ semblance export pets --embeddings --images -o pets.ndjson
  $ semblance export pets --format npy                        pets-image.npy, pets-image.ids and the same of texts
  $ python3 -c "import numpy; rows = numpy.load('pets-image.npy'); ids = open('pets-image.ids', encoding='utf-8').read().split('\\n')[:-1]"`

/** `semblance export`. */
export function exportCommand(): Command {
  return withService(new Command('export'))
    .description('Export a collection of a running service in formats that others read.')
    .argument('<collection>')
    .addOption(new Option('--format <format>', 'records as NDJSON, or embeddings as NumPy arrays with their ids').choices(['ndjson', 'npy']).default('ndjson'))
    .option('-o, --output <path>', 'ndjson: the file (default: standard output); npy: what the names of the files start with (default: the collection)')
    .option('--embeddings', 'ndjson: with embeddings')
    .option('--images', 'ndjson: with kept images, in base64')
    .addHelpText('after', EXAMPLES)
    .action(runExport)
}

async function runExport(collection: string, { format, output, embeddings, images, ...options }: ExportOptions): Promise<void> {
  const path = `/v1/collections/${encodeURIComponent(collection)}/export`
  await withStop(options, async (service, signal) => {
    if (format === 'npy') return exportArrays(service, { path, prefix: resolve(output ?? collection), signal })
    const query = new URLSearchParams({ ...(embeddings && { embeddings: 'true' }), ...(images && { images: 'true' }) })
    const lines = `${path}?${query}`
    if (output !== undefined) return void (await fetchFile(service, { path: lines, target: resolve(output), signal }))
    const { body } = await service.send(lines, { signal })
    await pipeline(body!, process.stdout, { signal, end: false })
  })
}

const TRIES = 5

/** Fetches rows and their ids, again when a write came between the two. */
async function exportArrays(service: Service, { path, prefix, signal }: { path: string; prefix: string; signal: AbortSignal }): Promise<void> {
  for (const modality of ['image', 'text']) {
    const fetchPair = async () => {
      const etag = await fetchFile(service, { path: `${path}/${modality}.npy`, target: `${prefix}-${modality}.npy`, signal })
      await fetchFile(service, { path: `${path}/${modality}.ids`, target: `${prefix}-${modality}.ids`, signal, headers: { 'if-match': etag } })
    }
    for (let tries = 1; ; tries++) {
      try {
        await fetchPair()
        break
      } catch (error) {
        // Rows without the ids that belong to them are worse than none.
        await rm(`${prefix}-${modality}.npy`, { force: true })
        if (!(error instanceof SemblanceError) || error.status !== 412 || tries === TRIES) throw error
      }
    }
    process.stdout.write(`Exported ${prefix}-${modality}.npy and ${prefix}-${modality}.ids.\n`)
  }
}
