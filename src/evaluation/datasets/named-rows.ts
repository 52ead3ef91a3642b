import { basename } from 'node:path'
import { tableRows } from '../../files/table-rows.js'
import { DatasetError } from './dataset-error.js'
import type { DatasetFault } from './dataset.js'
import { LABEL_COLUMNS } from './columns.js'
import { fieldsOf, readJson } from './read-json.js'
import { nameOf, sniff } from './sniff.js'

/** A row of a table or an entry of a JSON document, with what it is called: a line, or a key. */
export interface NamedRow {
  name: string
  key: string
  fields: Record<string, unknown>
}

/**
 * The rows of CSV, TSV, lines of JSON, a JSON list of objects, or a JSON object of objects, with their
 * columns in lower case.
 */
export async function* namedRows(path: string): AsyncGenerator<NamedRow | DatasetFault> {
  const { layout } = await sniff(path)
  if (layout === 'json') {
    yield* documentRows(path)
    return
  }
  if (layout !== 'jsonl' && typeof layout !== 'object')
    throw new DatasetError(
      `${path} is no table: CSV or TSV with a header, lines of JSON, or a JSON list of rows.`
    )
  for await (const row of tableRows(path, layout)) {
    if ('reason' in row) yield { name: row.name, reason: row.reason }
    else yield { name: `${basename(path)}:${row.line}`, key: String(row.line), fields: lowerCase(row.fields) }
  }
}

async function* documentRows(path: string): AsyncGenerator<NamedRow | DatasetFault> {
  const document = await readJson(path)
  if (document === null || typeof document !== 'object')
    throw new DatasetError(`${path} is neither a list nor an object of rows.`)
  for (const [key, row] of Object.entries(document)) {
    const name = `${basename(path)}: ${key}`
    if (row === null || typeof row !== 'object' || Array.isArray(row))
      yield { name, reason: 'It is no object.' }
    else yield { name, key, fields: lowerCase(fieldsOf(row)) }
  }
}

function lowerCase(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [nameOf(name), value]))
}

/** The first of the columns that a row has as a text. */
export function textIn(fields: Record<string, unknown>, columns: string[]): string | undefined {
  const column = columns.find((name) => typeof fields[name] === 'string' && fields[name].trim() !== '')
  return column === undefined ? undefined : (fields[column] as string)
}

/** The first of the columns that a row has as one or more texts: a list, also written as JSON in a cell. */
export function textsIn(fields: Record<string, unknown>, columns: string[]): unknown[] {
  const value = fields[columns.find((name) => fields[name] !== undefined && fields[name] !== null) ?? '']
  if (typeof value === 'string' && /^\s*\["/.test(value)) {
    try {
      return JSON.parse(value) as unknown[]
    } catch {
      return [value]
    }
  }
  return Array.isArray(value) ? value : value === undefined ? [] : [value]
}

/** The class that a row is of. */
export function labelIn(fields: Record<string, unknown>): string | undefined {
  const value =
    fields[LABEL_COLUMNS.find((name) => ['string', 'number', 'boolean'].includes(typeof fields[name])) ?? '']
  return value === undefined || String(value).trim() === '' ? undefined : String(value)
}
