import { stat } from 'node:fs/promises'
import { basename, dirname, extname, resolve } from 'node:path'
import { DatasetError } from './dataset-error.js'
import type { Dataset, DatasetFault, DatasetFormat, EmbeddedPairs } from './dataset.js'
import { openChoices } from './choices.js'
import { openClasses } from './classes.js'
import { openCoco } from './coco.js'
import { openCsvPairs } from './csv-pairs.js'
import { detectFormat } from './detect-format.js'
import { openEmbeddings } from './embeddings.js'
import { openFlickr } from './flickr.js'
import { imageFinder } from './image-finder.js'
import { openImagefolder } from './imagefolder.js'
import { openKarpathy } from './karpathy.js'
import type { Opened, Reader } from './opened.js'
import { openWinoground } from './winoground.js'

export interface OpenDatasetOptions {
  /** What it is, where that is not to be told from what is in it. */
  format?: DatasetFormat
  /** The folder of the images, where they are not beside what describes them. */
  images?: string
  /** A real path that no image lies outside of, links followed; none by default. */
  root?: string
  /** A part of a dataset that has parts: test by default, or `all`. */
  split?: string
  /** Only so many items, the first ones; of classes, in turn from each. */
  limit?: number
}

const READERS: Record<Exclude<DatasetFormat, 'embeddings'>, Reader> = {
  coco: openCoco,
  flickr: openFlickr,
  karpathy: openKarpathy,
  imagefolder: openImagefolder,
  classes: openClasses,
  winoground: openWinoground,
  choices: openChoices,
  csv: openCsvPairs
}
/** Formats whose datasets have parts. */
const SPLIT = ['karpathy', 'imagefolder', 'classes', 'csv']
/**
 * Opens a dataset by its file or folder, whose format is told from what is in it. Throws a DatasetError that
 * says what was looked for, where it is of none, is empty, or where none of its first items can be used.
 */
export async function openDataset(
  path: string,
  options: OpenDatasetOptions = {}
): Promise<Dataset | EmbeddedPairs> {
  const { images, root, split, limit } = options
  if (limit !== undefined && !(Number.isInteger(limit) && limit > 0))
    throw new DatasetError(`The limit is ${limit}, and has to be a whole number above 0.`)
  const place = resolve(path)
  const { format, files } = await detectFormat(place, options.format)
  if (split !== undefined && !SPLIT.includes(format))
    throw new DatasetError(`${place} is of format ${format}, which has no splits: leave out '${split}'.`)
  const name =
    files.length === 1
      ? `${basename(dirname(files[0]))}/${basename(files[0], extname(files[0]))}`
      : basename(place)
  if (format === 'embeddings') return openEmbeddings(place, { name, limit })
  if (images !== undefined && !(await stat(images).catch(() => undefined))?.isDirectory())
    throw new DatasetError(`There is no folder of images at ${images}.`)
  // In a folder of images paths are from it, and nowhere else.
  const folder = images !== undefined ? resolve(images) : format === 'imagefolder' ? place : undefined
  const finder = imageFinder(files.length > 0 ? dirname(files[0]) : place, { images: folder, root })
  const opened = await READERS[format]({ path: place, files, images: finder, split })
  const items = await usableItems(() => opened.items() as AsyncIterable<Found>, `${place} (${format})`)
  return {
    name: opened.split === undefined ? name : `${name} (${opened.split})`,
    format,
    kind: opened.kind,
    items: (signal?: AbortSignal) => firstItems(items(), { limit, signal })
  } as Dataset
}

type Found = Opened extends { items(): AsyncIterable<infer Item> } ? Item : never

async function* firstItems(
  found: AsyncIterable<Found>,
  { limit = Infinity, signal }: { limit?: number; signal?: AbortSignal }
): AsyncGenerator<Found> {
  let left = limit
  for await (const item of found) {
    signal?.throwIfAborted()
    yield item
    if (!('reason' in item) && --left === 0) return
  }
}

/**
 * Reads items, as often as one likes; what was read to see whether any can be used is not read anew the first
 * time.
 */
async function usableItems(
  read: () => AsyncIterable<Found>,
  name: string
): Promise<() => AsyncIterable<Found>> {
  const faults: DatasetFault[] = []
  const rest = read()[Symbol.asyncIterator]()
  for (let next = await rest.next(); ; next = await rest.next()) {
    const [first] = faults
    if (next.done)
      throw new DatasetError(
        first
          ? `${name}: nothing in it can be used. ${first.name}: ` +
              `${first.reason}${faults.length > 1 ? ` And ${faults.length - 1} more.` : ''}`
          : `${name} is empty.`
      )
    if ('reason' in next.value) faults.push(next.value)
    else {
      let begun: AsyncIterable<Found> | undefined = goOn([...faults, next.value], rest)
      return () => {
        const items = begun ?? read()
        begun = undefined
        return items
      }
    }
  }
}

async function* goOn(before: Found[], rest: AsyncIterator<Found>): AsyncGenerator<Found> {
  try {
    yield* before
    yield* { [Symbol.asyncIterator]: () => rest }
  } finally {
    await rest.return?.()
  }
}
