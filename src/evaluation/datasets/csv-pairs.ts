import { dirname } from 'node:path'
import type { DatasetFault } from './dataset.js'
import { LABEL_COLUMNS } from './columns.js'
import { labelNames } from './label-names.js'
import { namedRows, textIn, type NamedRow } from './named-rows.js'
import type { Reader } from './opened.js'
import { rowCaptions, rowLabels } from './row-items.js'
import { sniff } from './sniff.js'
import { chooseSplit, splitOf } from './splits.js'

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
