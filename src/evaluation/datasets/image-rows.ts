import { basename, dirname, extname, join } from 'node:path'
import { readFolder } from '../../files/read-folder.js'
import { openClasses } from './classes.js'
import {
  type CaptionedItem,
  chooseSplit,
  DatasetError,
  type DatasetFault,
  type LabelledItem,
  splitOf
} from './dataset.js'
import {
  addCaptions,
  belowFolder,
  captionedItems,
  captionFault,
  type Described,
  type ImageFinder,
  type Reader
} from './image-finder.js'
import { labelFault, labelNames } from './label-names.js'
import {
  CAPTION_COLUMNS,
  IMAGE_COLUMNS,
  LABEL_COLUMNS,
  labelIn,
  type NamedRow,
  namedRows,
  NEGATIVE_COLUMNS,
  sniff,
  textIn,
  textsIn
} from './named-rows.js'

type Rows = AsyncIterable<NamedRow | DatasetFault>

/**
 * Images with their captions; rows of the same image are one item. What the captions are is kept until the
 * last row is read.
 */
export async function* rowCaptions(
  rows: Rows,
  images: ImageFinder
): AsyncGenerator<CaptionedItem | DatasetFault> {
  const byFile = new Map<string, Described>()
  for await (const row of rows) {
    if ('reason' in row) {
      yield row
      continue
    }
    const file = textIn(row.fields, IMAGE_COLUMNS)
    const captions = textsIn(row.fields, CAPTION_COLUMNS)
    const reason =
      file === undefined
        ? 'The row names no image.'
        : captions.length === 0
          ? 'The caption is missing.'
          : captions.map(captionFault).find((fault) => fault !== undefined)
    if (reason !== undefined) yield { name: row.name, reason }
    else addCaptions(byFile, file!, captions as string[])
  }
  yield* captionedItems(byFile.values(), images)
}

/** Images with their classes, and with what is written, where the rows have both. */
export async function* rowLabels(
  rows: Rows,
  { images, names }: { images: ImageFinder; names: Map<string, string> }
): AsyncGenerator<LabelledItem | DatasetFault> {
  const seen = new Set<string>()
  for await (const row of rows) {
    if ('reason' in row) {
      yield row
      continue
    }
    const [file, label, [written]] = [
      textIn(row.fields, IMAGE_COLUMNS),
      labelIn(row.fields),
      textsIn(row.fields, CAPTION_COLUMNS)
    ]
    // What is written may be absent, and blank is.
    const text = typeof written === 'string' && written.trim() === '' ? undefined : written
    const reason =
      file === undefined
        ? 'The row names no image.'
        : label === undefined
          ? 'The row has no label.'
          : (labelFault(label) ?? (text === undefined ? undefined : captionFault(text)))
    const image = reason === undefined ? await images.find(file!) : { name: row.name, reason }
    if ('reason' in image) yield image
    else if (seen.has(image.id))
      yield { name: row.name, reason: `Another row already names the image ${image.id}.` }
    else {
      seen.add(image.id)
      yield {
        id: image.id,
        image,
        label: names.get(label!) ?? label!,
        ...(text !== undefined && { text: text as string })
      }
    }
  }
}

/**
 * What Hugging Face's imagefolder calls the table of a folder:
 * https://huggingface.co/docs/datasets/image_load#imagefolder
 */
export const METADATA = ['metadata.jsonl', 'metadata.csv']

/**
 * A folder of images with a metadata file in it, in the folders of its splits, or further down; without any,
 * a folder a class.
 */
export const openImagefolder: Reader = async (source) => {
  const { path: root, images, split: wanted } = source
  const tables = await tablesIn(root, '')
  if (tables.length === 0) return openClasses(source)
  const splits = new Map(
    (await readFolder(root, '')).folders.flatMap((name) => (splitOf(name) ? [[name, splitOf(name)!]] : []))
  )
  const split =
    splits.size > 0 || wanted !== undefined ? chooseSplit(splits.values(), { wanted, path: root }) : undefined
  /** Whether a path below the root is in a split that is left out. */
  const isLeftOut = (below: string) =>
    split !== undefined && splits.has(below.split('/')[0]) && splits.get(below.split('/')[0]) !== split
  const chosen = tables.filter((table) => !isLeftOut(table))
  if (chosen.length === 0)
    throw new DatasetError(`${root} has no metadata.jsonl or metadata.csv for its split '${split}'.`)
  const rows = () => folderRows(root, { tables: chosen, isLeftOut })
  const part = splits.size > 0 ? { split: split ?? 'all' } : {}
  const { names } = await sniff(join(root, chosen[0]))
  if (!LABEL_COLUMNS.some((column) => names.has(column)))
    return { kind: 'captions', ...part, items: () => rowCaptions(rows(), images) }
  const labels = await labelNames(root)
  return { kind: 'classes', ...part, items: () => rowLabels(rows(), { images, names: labels }) }
}

/** The metadata files of a folder and of those below it, by their paths from it. */
async function tablesIn(path: string, below: string): Promise<string[]> {
  const { files, folders } = await readFolder(path, below)
  const further = []
  for (const name of folders) further.push(...(await tablesIn(join(path, name), `${below}${name}/`)))
  return [...METADATA.filter((name) => files.includes(name)).map((name) => below + name), ...further]
}

/** The rows of the tables, with the paths of their images from the root. */
async function* folderRows(
  root: string,
  { tables, isLeftOut }: { tables: string[]; isLeftOut: (below: string) => boolean }
): AsyncGenerator<NamedRow | DatasetFault> {
  for (const table of tables) {
    const folder = table.slice(0, table.lastIndexOf('/') + 1)
    for await (const row of namedRows(join(root, table))) {
      const file = 'reason' in row ? undefined : textIn(row.fields, IMAGE_COLUMNS)
      if ('reason' in row || file === undefined) {
        yield row
        continue
      }
      // Paths are from the table's own folder, and don't lead out of it.
      const own = belowFolder(file)
      if (own === undefined) yield { name: row.name, reason: `${file} leads out of the folder.` }
      else if (!isLeftOut(folder + own))
        yield { ...row, fields: { ...row.fields, [IMAGE_COLUMNS[0]]: folder + own } }
    }
  }
}

/**
 * A table of images with captions, or with a label and perhaps a caption: CSV, TSV, lines of JSON, or a JSON
 * list.
 */
export const openCsvPairs: Reader = async ({ files: [path], images, split: wanted }) => {
  const split = wanted === undefined ? undefined : chooseSplit(await splitsIn(path), { wanted, path })
  const { names } = await sniff(path)
  const rows = () => (split === undefined ? namedRows(path) : rowsOf(split, namedRows(path)))
  const part = wanted === undefined ? {} : { split: split ?? 'all' }
  if (!LABEL_COLUMNS.some((column) => names.has(column)))
    return { kind: 'captions', ...part, items: () => rowCaptions(rows(), images) }
  const labels = await labelNames(dirname(path))
  return { kind: 'classes', ...part, items: () => rowLabels(rows(), { images, names: labels }) }
}

function splitIn({ fields }: NamedRow): string | undefined {
  const split = textIn(fields, ['split'])
  return split === undefined ? undefined : (splitOf(split) ?? split)
}

async function splitsIn(path: string): Promise<Set<string>> {
  const splits = new Set<string>()
  for await (const row of namedRows(path)) {
    const split = 'reason' in row ? undefined : splitIn(row)
    if (split !== undefined) splits.add(split)
  }
  return splits
}

async function* rowsOf(
  split: string,
  rows: AsyncIterable<NamedRow | DatasetFault>
): AsyncGenerator<NamedRow | DatasetFault> {
  for await (const row of rows) {
    if ('reason' in row || splitIn(row) === split) yield row
  }
}

/**
 * Captions to choose from: SugarCrepe's files (Hsieh et al. 2023), or lines of `{"image", "caption",
 * "negatives": [...]}`. Of several files each gives its items its name as their tag, as SugarCrepe's
 * swap_att.json and replace_obj.json.
 */
export const openChoices: Reader = async ({ files, images }) => ({
  kind: 'choices',
  async *items() {
    for (const path of files) {
      const stem = basename(path, extname(path))
      for await (const row of namedRows(path)) {
        if ('reason' in row) {
          yield row
          continue
        }
        const { name, key, fields } = row
        const [file, caption, negatives] = [
          textIn(fields, IMAGE_COLUMNS),
          fields.caption ?? fields.text,
          textsIn(fields, NEGATIVE_COLUMNS)
        ]
        const reason =
          file === undefined
            ? 'The row names no image.'
            : negatives.length === 0
              ? 'The row has no negatives.'
              : ([caption, ...negatives].map(captionFault).find((fault) => fault !== undefined) ??
                (negatives.includes(caption) ? 'The caption is also one of the negatives.' : undefined))
        const image = reason === undefined ? await images.find(file!) : { name, reason }
        const tag = textIn(fields, ['tag', 'category']) ?? (files.length > 1 ? stem : undefined)
        if ('reason' in image) yield image
        else
          yield {
            id: files.length > 1 ? `${stem}/${key}` : key,
            image,
            caption: caption as string,
            negatives: negatives as string[],
            ...(tag !== undefined && { tag })
          }
      }
    }
  }
})

/**
 * Pairs of images and captions in the layout of Winoground's examples.jsonl (Thrush et al. 2022), whose
 * images are named without an extension.
 */
export const openWinoground: Reader = async ({ files: [path], images }) => ({
  kind: 'pairs',
  async *items() {
    for await (const row of namedRows(path)) {
      if ('reason' in row) {
        yield row
        continue
      }
      const { name, key, fields } = row
      const [first, second] = [textIn(fields, ['image_0']), textIn(fields, ['image_1'])]
      const captions = [fields.caption_0, fields.caption_1]
      const reason =
        first === undefined || second === undefined
          ? 'The row has no image_0 or no image_1.'
          : (captionFault(captions[0]) ?? captionFault(captions[1]))
      if (reason !== undefined) {
        yield { name, reason }
        continue
      }
      const [left, right] = [await images.find(first!), await images.find(second!)]
      const tag = textIn(fields, ['collapsed_tag', 'tag'])
      if ('reason' in left) yield left
      else if ('reason' in right) yield right
      else
        yield {
          id: String(fields.id ?? key),
          images: [left, right],
          captions: captions as [string, string],
          ...(tag !== undefined && { tag })
        }
    }
  }
})
