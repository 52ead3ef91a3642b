import { stat } from 'node:fs/promises'
import { columnTypes } from '../../files/column-types.js'
import type { ColumnType } from '../../files/columns.js'

/** What the cells of tables become in metadata. */
export interface TypeRules {
  /** Whether all cells stay strings. */
  strings?: boolean
  /** The types of columns by name, whatever their cells look like. */
  types?: ReadonlyMap<string, ColumnType>
}

/**
 * The types of a table's columns. A pipe can't be read twice: its cells stay strings, but for the columns
 * that the rules name.
 */
export async function tableTypes(
  path: string,
  { strings = false, types = new Map() }: TypeRules
): Promise<ReadonlyMap<string, ColumnType>> {
  const isRead = !strings && /\.(csv|tsv)$/i.test(path) && (await stat(path).catch(() => undefined))?.isFile()
  return new Map([...(isRead ? await columnTypes(path) : []), ...types])
}
