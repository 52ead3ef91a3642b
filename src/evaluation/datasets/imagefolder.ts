import { join } from 'node:path'
import { readFolder } from '../../files/read-folder.js'
import { DatasetError } from './dataset-error.js'
import type { DatasetFault } from './dataset.js'
import { openClasses } from './classes.js'
import { IMAGE_COLUMNS, LABEL_COLUMNS } from './columns.js'
import { belowFolder } from './image-finder.js'
import { labelNames } from './label-names.js'
import { namedRows, textIn, type NamedRow } from './named-rows.js'
import type { Reader } from './opened.js'
import { rowCaptions, rowLabels } from './row-items.js'
import { sniff } from './sniff.js'
import { chooseSplit, splitOf } from './splits.js'

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
