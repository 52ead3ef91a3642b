import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Command, Option } from 'commander'
import { SemblanceError } from '../client/semblance-error.js'
import { showCollection } from './collection-option.js'
import { fetchFile } from './fetch-file.js'
import { host } from './host.js'
import { type Service, type ServiceOptions, withService } from './service.js'
import { withStop } from './with-stop.js'

interface ExportOptions extends ServiceOptions {
  format: 'ndjson' | 'npy'
  output?: string
  embeddings?: boolean
  images?: boolean
}

const EXAMPLES = `
NDJSON has everything that 'semblance index' needs to create the same records: texts, metadata, expiry,
kept images in base64, and the embeddings that cannot be computed again (of a collection without a
model or whose storage is not 'original', and of records without a text or a kept image). It does
not have the times of the records or the settings of the collection; 'semblance backup' keeps these
too. What is left out is reported on standard error.

Examples:
  $ semblance export pets > pets.ndjson                       records, one JSON object per line
  $ semblance export pets | semblance index - -c copy         all records with their images
  $ semblance export pets --no-images -o pets.ndjson          texts and metadata only
  $ semblance export pets --embeddings -o pets.ndjson         with all embeddings
  $ semblance export pets --format npy                        .npy and .ids files for images and for texts

To read the files of --format npy in Python:
  rows = numpy.load('pets-image.npy')
  ids = open('pets-image.ids', encoding='utf-8').read().split('\\n')[:-1]`

/** `semblance export`. */
export function exportCommand(): Command {
  return withService(new Command('export'))
    .description('Export a collection of a running service in standard formats.')
    .argument('<collection>')
    .addOption(
      new Option('--format <format>', 'records as NDJSON, or embeddings as NumPy arrays with their ids')
        .choices(['ndjson', 'npy'])
        .default('ndjson')
    )
    .option(
      '-o, --output <path>',
      'ndjson: the file (default: standard output); npy: the prefix of the file names (default: the ' +
        'collection)'
    )
    .option('--embeddings', 'ndjson: with all embeddings (default: with those that cannot be computed again)')
    .option('--images', 'ndjson: with kept images, in base64 (the default)', true)
    .option('--no-images', 'ndjson: without kept images')
    .addHelpText('after', EXAMPLES)
    .action(runExport)
}

async function runExport(
  collection: string,
  { format, output, embeddings, images = true, ...options }: ExportOptions
): Promise<void> {
  const path = `/v1/collections/${encodeURIComponent(collection)}/export`
  await withStop(options, async (service, signal) => {
    if (format === 'npy')
      return exportArrays(service, { path, prefix: resolve(output ?? collection), signal })
    const { model, dimension } = await showCollection(service, collection, signal)
    const query = new URLSearchParams({ images: String(images), ...(embeddings && { embeddings: 'true' }) })
    const exported = await exportLines(service, { path: `${path}?${query}`, output, signal })
    if (options.quiet !== true)
      for (const note of notesOf(collection, exported, { model, dimension, images }))
        host().stderr.write(`semblance: ${note}\n`)
    const lost = images ? exported.keptImages - exported.images : 0
    if (lost > 0)
      throw new Error(
        `${lost} kept images can't be read in the service's data folder and are not in the export; ` +
          `their embeddings are. Run 'semblance doctor' there to list them.`
      )
  })
}

interface Exported extends Pick<ExportTally, 'images' | 'embeddings'> {
  /** Records that had a kept image when the export began. */
  keptImages: number
}

/** Writes the lines to a file or to standard output. */
async function exportLines(
  service: Service,
  { path, output, signal }: { path: string; output?: string; signal: AbortSignal }
): Promise<Exported> {
  const tally = exportTally()
  let keptImages = 0
  const onAnswer = (headers: Headers) => void (keptImages = Number(headers.get('semblance-kept-images') ?? 0))
  if (output !== undefined)
    await fetchFile(service, { path, target: resolve(output), signal, onAnswer, onChunk: tally.add })
  else {
    const { body, headers } = await service.send(path, { signal })
    onAnswer(headers)
    const counted = async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        tally.add(chunk)
        yield chunk
      }
    }
    await pipeline(body!, counted, host().stdout, { signal, end: false })
  }
  return { ...tally, keptImages }
}

/** What whoever makes a collection of the lines has to know. */
function notesOf(
  collection: string,
  { keptImages, embeddings }: Exported,
  { model, dimension, images }: { model: string | null; dimension: number; images: boolean }
): string[] {
  const notes: string[] = []
  if (!images && keptImages > 0)
    notes.push(
      `${keptImages} images of '${collection}' are not in the export; leave out --no-images to include them.`
    )
  if (model === null)
    notes.push(
      `'${collection}' has no model: create the collection for these lines with 'semblance collections ` +
        `create <name> --no-model --dimension ${dimension}'.`
    )
  else if (embeddings > 0)
    notes.push(
      `${embeddings} of the records include embeddings of the model '${model}': the collection that ` +
        'imports them needs the same model.'
    )
  return notes
}

const TRIES = 5

/** Fetches rows and their ids, again when a write came between the two. */
async function exportArrays(
  service: Service,
  { path, prefix, signal }: { path: string; prefix: string; signal: AbortSignal }
): Promise<void> {
  for (const modality of ['image', 'text']) {
    const fetchPair = async () => {
      const etag = await fetchFile(service, {
        path: `${path}/${modality}.npy`,
        target: `${prefix}-${modality}.npy`,
        signal
      })
      await fetchFile(service, {
        path: `${path}/${modality}.ids`,
        target: `${prefix}-${modality}.ids`,
        signal,
        headers: { 'if-match': etag }
      })
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
    host().stdout.write(`Exported ${prefix}-${modality}.npy and ${prefix}-${modality}.ids.\n`)
  }
}

const NEWLINE = 0x0a

/** What the lines of an export have, counted as they pass. */
interface ExportTally {
  add(chunk: Uint8Array): void
  lines: number
  /** Lines with an image. */
  images: number
  /** Lines with embeddings. */
  embeddings: number
}

function exportTally(): ExportTally {
  // A line with an image is longer than a chunk: its parts are put together once.
  let parts: Uint8Array[] = []
  const tally: ExportTally = {
    lines: 0,
    images: 0,
    embeddings: 0,
    add: (chunk) => {
      let start = 0
      for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
        count(tally, Buffer.concat([...parts, chunk.subarray(start, end)]))
        parts = []
        start = end + 1
      }
      if (start < chunk.length) parts.push(chunk.subarray(start))
    }
  }
  return tally
}

function count(tally: ExportTally, line: Buffer): void {
  const record = JSON.parse(line.toString()) as { image?: object; embeddings?: object }
  tally.lines++
  if (record.image) tally.images++
  if (record.embeddings) tally.embeddings++
}
