import { readdir, stat } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { imageKind } from '../../files/image-types.js'
import { readFolder } from '../../files/read-folder.js'
import { DatasetError } from './dataset-error.js'
import type { DatasetFormat } from './dataset.js'
import { CAPTION_COLUMNS, IMAGE_COLUMNS, LABEL_COLUMNS, NEGATIVE_COLUMNS, PAIR_COLUMNS } from './columns.js'
import { embeddingFiles } from './embeddings.js'
import { METADATA } from './imagefolder.js'
import { LABEL_NAMES } from './label-names.js'
import { sniff, type Sniffed } from './sniff.js'
import { splitOf } from './splits.js'

export interface Detected {
  format: DatasetFormat
  /** The files that describe the dataset. */
  files: string[]
}

/** What is looked for, for those whose dataset was not found. */
const LOOKED_FOR = `Datasets are known by what is in them:
  coco         a .json with "images" and "annotations" that have captions
  karpathy     a .json with "images" that have "sentences"
  flickr       lines of image,caption, of image_name| comment_number| comment, or of
               image#0<tab>caption, with or without a header
  csv          a .csv, .tsv, .jsonl or .json of rows with an image (file_name, path) and a caption
               (text) or a label
  imagefolder  a folder with metadata.jsonl or metadata.csv in it or in its train, validation and test
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
export async function detectFormat(path: string, format?: DatasetFormat): Promise<Detected> {
  const found = await stat(path).catch((error: Error) => {
    throw new DatasetError(`There is no dataset at ${path}: ${error.message}`)
  })
  if (found.isDirectory()) return detectFolder(path, format)
  if (format && OF_FOLDERS.includes(format))
    throw new DatasetError(`${path} is a file, and ${format} is a folder.`)
  const sniffed = await sniff(path)
  const detected = format ?? formatOf(path, sniffed)
  if (detected) return { format: detected, files: [path] }
  throw new DatasetError(`${path} is of no format that is known${hint(path, sniffed)}. ${LOOKED_FOR}`)
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
      `${path} has several datasets, of which one has to be named: ` +
        `${described.map((file) => `${file.path} (${file.format})`).join(', ')}.`
    )
  if (!format && (await hasMetadataBelow(path))) return { format: 'imagefolder', files: [] }
  if (!format && (await hasClasses(path))) return { format: 'classes', files: [] }
  throw new DatasetError(
    format
      ? `${path} has no file of format ${format}.`
      : `${path} has no dataset in it that is known. ${LOOKED_FOR}`
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
  if (layout === 'parquet') return ', but Parquet: export it, as `dataset.to_json()` does'
  if (layout === 'npy') return ': name the folder that has images.npy and texts.npy'
  if (imageKind(path) !== 'other') return ', but an image'
  if (layout === 'json' && names.has('images') && names.has('annotations'))
    return ': its annotations have no captions'
  if (typeof layout === 'object') return `: its header has the columns ${[...names].slice(0, 20).join(', ')}`
  return ''
}
