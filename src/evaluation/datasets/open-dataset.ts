import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { imageKind } from '../../files/image-types.js'
import { readFolder } from '../../files/read-folder.js'
import { openClasses } from './classes.js'
import {
  type Dataset,
  DatasetError,
  type DatasetFault,
  type DatasetFormat,
  type EmbeddedPairs,
  type LoadedDataset,
  splitOf
} from './dataset.js'
import { embeddingFiles, openEmbeddings } from './embeddings.js'
import { openCoco, openFlickr, openKarpathy } from './caption-files.js'
import { imageFinder, type Opened, type Reader } from './image-finder.js'
import { METADATA, openChoices, openCsvPairs, openImagefolder, openWinoground } from './image-rows.js'
import { LABEL_NAMES } from './label-names.js'
import {
  CAPTION_COLUMNS,
  IMAGE_COLUMNS,
  LABEL_COLUMNS,
  NEGATIVE_COLUMNS,
  PAIR_COLUMNS,
  sniff,
  type Sniffed
} from './named-rows.js'

interface Detected {
  format: DatasetFormat
  /** The files that describe the dataset. */
  files: string[]
}

/** What is looked for, for those whose dataset was not found. */
const LOOKED_FOR = `The format of a dataset is recognised by its files:
  coco         a .json with "images", and "annotations" that have captions
  karpathy     a .json with "images" that have "sentences"
  flickr       lines of image,caption, of image_name| comment_number| comment, or of
               image#0<tab>caption, with or without a header
  csv          a .csv, .tsv, .jsonl or .json of rows with an image (file_name, path) and a caption
               (text) or a label
  imagefolder  a folder with metadata.jsonl or metadata.csv, also in train, validation and test
  classes      a folder with a folder of images for each of two or more classes
  winoground   a .jsonl of rows with image_0, image_1, caption_0 and caption_1
  choices      a .json or .jsonl of rows with an image, a caption, and negative_caption or negatives
  embeddings   a folder with images.npy and texts.npy, or img_emb and text_emb of .npy files`
/** Formats that folders are of themselves. */
const OF_FOLDERS = ['imagefolder', 'classes', 'embeddings']
const DESCRIBES = /\.(json|jsonl|ndjson|csv|tsv|txt|token)$/i
/** Folders in which datasets keep the files that describe them. */
const ANNOTATIONS = ['annotations', 'data']

/**
 * Which format a file or folder is of, and which files describe it. Throws a DatasetError that names the
 * formats where none fits.
 */
async function detectFormat(path: string, format?: DatasetFormat): Promise<Detected> {
  const found = await stat(path).catch((error: Error) => {
    throw new DatasetError(`There is no dataset at ${path}: ${error.message}`)
  })
  if (found.isDirectory()) return detectFolder(path, format)
  if (format && OF_FOLDERS.includes(format))
    throw new DatasetError(`${path} is a file, but the format ${format} is a folder.`)
  const sniffed = await sniff(path)
  const detected = format ?? formatOf(path, sniffed)
  if (detected) return { format: detected, files: [path] }
  throw new DatasetError(`${path} has no known format${hint(path, sniffed)}. ${LOOKED_FOR}`)
}

async function detectFolder(path: string, format?: DatasetFormat): Promise<Detected> {
  if (format && OF_FOLDERS.includes(format)) return { format, files: [] }
  if (!format && embeddingFiles(path)) return { format: 'embeddings', files: [] }
  const described = (await describingFiles(path)).filter(
    (file) => format === undefined || file.format === format
  )
  const formats = new Set(described.map((file) => file.format))
  if (described.length === 1 || (formats.size === 1 && formats.has('choices')))
    return { format: described[0].format, files: described.map((file) => file.path) }
  if (formats.has('imagefolder') && described.every((file) => METADATA.includes(basename(file.path))))
    return { format: 'imagefolder', files: [] }
  if (described.length > 1)
    throw new DatasetError(
      `${path} has several datasets; name one of them: ` +
        `${described.map((file) => `${file.path} (${file.format})`).join(', ')}.`
    )
  if (!format && (await hasMetadataBelow(path))) return { format: 'imagefolder', files: [] }
  if (!format && (await hasClasses(path))) return { format: 'classes', files: [] }
  throw new DatasetError(
    format
      ? `${path} has no file of the format ${format}.`
      : `${path} contains no dataset of a known format. ${LOOKED_FOR}`
  )
}

/** The files of a folder, and of where annotations are kept in it, that describe a dataset. */
async function describingFiles(path: string): Promise<{ path: string; format: DatasetFormat }[]> {
  const described = []
  for (const folder of [path, ...ANNOTATIONS.map((name) => join(path, name))]) {
    const names = await readdir(folder).catch(() => [])
    for (const name of names
      .filter((name) => DESCRIBES.test(name) && name !== LABEL_NAMES && !name.startsWith('.'))
      .sort()) {
      const file = join(folder, name)
      const format = (await stat(file)).isFile() ? formatOf(file, await sniff(file)) : undefined
      if (format)
        described.push({
          path: file,
          format: METADATA.includes(name) && format === 'csv' ? ('imagefolder' as const) : format
        })
    }
    if (described.length > 0) break
  }
  return described
}

/** The format of a file by what it has. */
function formatOf(path: string, { layout, names, isList }: Sniffed): DatasetFormat | undefined {
  const has = (columns: string[]) => columns.some((column) => names.has(column))
  if (layout === 'tokens') return 'flickr'
  if (layout === 'json') {
    if (names.has('images') && names.has('sentences')) return 'karpathy'
    if (names.has('images') && names.has('annotations')) return names.has('caption') ? 'coco' : undefined
  } else if (layout !== 'jsonl' && typeof layout !== 'object') return undefined
  if (PAIR_COLUMNS.every((column) => names.has(column))) return 'winoground'
  if (!has(IMAGE_COLUMNS)) return undefined
  if (has(NEGATIVE_COLUMNS)) return 'choices'
  // A table that is called otherwise is one of lines whose captions nothing quotes.
  const isLines =
    typeof layout === 'object' &&
    (layout.delimiter === '|' ||
      names.has('comment_number') ||
      !['.csv', '.tsv'].includes(extname(path).toLowerCase()))
  if (isLines) return has(CAPTION_COLUMNS) ? 'flickr' : undefined
  // Any document may have such keys somewhere.
  if (layout === 'json' && !isList) return undefined
  return has(CAPTION_COLUMNS) || has(LABEL_COLUMNS) ? 'csv' : undefined
}

async function hasMetadataBelow(path: string): Promise<boolean> {
  const { folders } = await readFolder(path, '')
  for (const name of folders.filter((name) => splitOf(name))) {
    if ((await readdir(join(path, name))).some((file) => METADATA.includes(file))) return true
  }
  return false
}

async function hasClasses(path: string): Promise<boolean> {
  const { folders } = await readFolder(path, '')
  const below = await Promise.all(folders.map((name) => readFolder(join(path, name), '')))
  const isLayered = folders.length > 0 && folders.every((name) => splitOf(name))
  if (isLayered) return below.some((folder) => folder.folders.length > 1)
  return (
    below.filter(
      (folder) => folder.folders.length > 0 || folder.files.some((name) => imageKind(name) !== 'other')
    ).length > 1
  )
}

function hint(path: string, { layout, names }: Sniffed): string {
  if (layout === 'parquet') return ': it is Parquet; export it as JSON, for example with `dataset.to_json()`'
  if (layout === 'npy') return '; name the folder that has images.npy and texts.npy'
  if (imageKind(path) !== 'other') return ': it is an image'
  if (layout === 'json' && names.has('images') && names.has('annotations'))
    return ': its annotations have no captions'
  if (typeof layout === 'object') return `: its header has the columns ${[...names].slice(0, 20).join(', ')}`
  return ''
}

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
    throw new DatasetError(`limit must be a whole number above 0, not ${limit}.`)
  const place = resolve(path)
  const { format, files } = await detectFormat(place, options.format)
  if (split !== undefined && !SPLIT.includes(format))
    throw new DatasetError(`${place} has the format ${format}, which has no splits; leave out '${split}'.`)
  const name =
    files.length === 1
      ? `${basename(dirname(files[0]))}/${basename(files[0], extname(files[0]))}`
      : basename(place)
  if (format === 'embeddings') return openEmbeddings(place, { name, limit })
  if (images !== undefined && !(await stat(images).catch(() => undefined))?.isDirectory())
    throw new DatasetError(`The image folder ${images} does not exist.`)
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
 * Reads items, as often as one likes; what was read to see whether any can be used is not read again the
 * first time.
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
          ? `${name}: no item can be used. ${first.name}: ` +
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

/** Reads a dataset whole: its items, and what it names but can't give. Images stay in their files. */
export async function loadDataset(dataset: Dataset, signal?: AbortSignal): Promise<LoadedDataset> {
  const { name, format, kind } = dataset
  const items: unknown[] = []
  const faults: DatasetFault[] = []
  for await (const found of dataset.items(signal)) {
    if ('reason' in found) faults.push(found)
    else items.push(found)
  }
  return { name, format, kind, items, faults } as LoadedDataset
}
