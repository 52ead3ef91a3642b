import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename } from 'node:path'
import { FILE_COLUMNS, TEXT_COLUMNS } from '../../files/columns.js'
import { type TableLayout, tableRows } from '../../files/table-rows.js'
import { DatasetError, type DatasetFault } from './dataset.js'
import { isCaptionLine, isTokenLine } from './caption-files.js'
import { fieldsOf, readJson } from './read-json.js'

/** The columns that name an image. */
export const IMAGE_COLUMNS = [...FILE_COLUMNS, 'image_path', 'image_name', 'filepath', 'img']
/** The columns of what it shows, one or more captions. */
export const CAPTION_COLUMNS = [...TEXT_COLUMNS, 'captions', 'texts', 'comment', 'title', 'raw']
/** The columns of captions that are not true of it. */
export const NEGATIVE_COLUMNS = ['negatives', 'negative_caption', 'negative']
/** The columns of the class that it is of. */
export const LABEL_COLUMNS = ['label', 'class']
/** The columns of a pair. */
export const PAIR_COLUMNS = ['image_0', 'image_1', 'caption_0', 'caption_1']

/** What a file looks like, whatever its name ends with. */
export interface Sniffed {
  /**
   * Tables are lines of JSON or have a header; `tokens` are lines of an image and a caption without one, as
   * in Flickr's original files.
   */
  layout: 'json' | 'tokens' | 'parquet' | 'npy' | 'other' | TableLayout
  /** The columns of a table, in lower case, or those keys of a JSON document that datasets have. */
  names: Set<string>
  /** Whether it is a JSON list of objects. */
  isList?: boolean
}

/** Bytes in which the first line is looked for. */
const HEAD = 1 << 20
const DELIMITERS = ['|', '\t', ',', ';']

/**
 * Looks at how a file begins; a JSON document that may be COCO's is looked through for the keys that it has.
 */
export async function sniff(path: string): Promise<Sniffed> {
  const head = (await firstBytes(path)).toString().replace(/^\uFEFF/, '')
  if (head.startsWith('PAR1')) return { layout: 'parquet', names: new Set() }
  if (head.slice(1, 6) === 'NUMPY') return { layout: 'npy', names: new Set() }
  const text = head.trimStart()
  const [first, second] = text.split(/\r?\n/, 2)
  if (text.startsWith('{') || text.startsWith('[')) {
    const row = rowOf(first, { path, more: second })
    return row
      ? { layout: 'jsonl', names: new Set(Object.keys(row).map(nameOf)) }
      : { layout: 'json', names: await keysOf(path, head), isList: /^\[\s*\{/.test(text) }
  }
  if (first && (isTokenLine(first) || isCaptionLine(first))) return { layout: 'tokens', names: new Set() }
  const delimiter = DELIMITERS.find((sign) => first?.includes(sign))
  if (delimiter === undefined) return { layout: 'other', names: new Set() }
  return {
    layout: { delimiter },
    names: new Set(first.split(delimiter).map((name) => nameOf(name.replace(/^\s*"|"\s*$/g, ''))))
  }
}

/** A column by its name, however it is written. */
function nameOf(column: string): string {
  return column.trim().toLowerCase()
}

async function firstBytes(path: string): Promise<Buffer> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD), 0, HEAD, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

/** The row that the first line is, where the file is lines of JSON: one line alone may also be a document. */
function rowOf(first: string, { path, more }: { path: string; more?: string }): object | undefined {
  if (!first.startsWith('{')) return undefined
  try {
    const row = JSON.parse(first) as Record<string, unknown>
    const isLines =
      more?.trim() ||
      /\.(jsonl|ndjson)$/i.test(path) ||
      [...IMAGE_COLUMNS, ...PAIR_COLUMNS].some((column) => typeof row[column] === 'string')
    return isLines ? row : undefined
  } catch {
    return undefined
  }
}

/**
 * The keys of COCO's documents, which may be far behind each other; those of all others are in the first of
 * their entries.
 */
const FAR = ['images', 'annotations', 'caption']
const KEYS = [
  ...FAR,
  'sentences',
  ...IMAGE_COLUMNS,
  ...CAPTION_COLUMNS,
  ...NEGATIVE_COLUMNS,
  ...LABEL_COLUMNS,
  ...PAIR_COLUMNS
]
const LONGEST = Math.max(...FAR.map((key) => key.length)) + 2

async function keysOf(path: string, head: string): Promise<Set<string>> {
  const found = new Set(KEYS.filter((key) => head.includes(`"${key}"`)))
  if (found.has('sentences') || !(found.has('images') || found.has('annotations'))) return found
  let before = Buffer.alloc(0)
  for await (const chunk of createReadStream(path, { highWaterMark: HEAD }) as AsyncIterable<Buffer>) {
    const bytes = Buffer.concat([before, chunk])
    for (const key of FAR) if (!found.has(key) && bytes.includes(`"${key}"`)) found.add(key)
    if (FAR.every((key) => found.has(key))) break
    before = bytes.subarray(-LONGEST)
  }
  return found
}

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
      `${path} must be a table: CSV or TSV with a header, lines of JSON, or a JSON list of rows.`
    )
  for await (const row of tableRows(path, layout)) {
    if ('reason' in row) yield { name: row.name, reason: row.reason }
    else yield { name: `${basename(path)}:${row.line}`, key: String(row.line), fields: lowerCase(row.fields) }
  }
}

async function* documentRows(path: string): AsyncGenerator<NamedRow | DatasetFault> {
  const document = await readJson(path)
  if (document === null || typeof document !== 'object')
    throw new DatasetError(`${path} must be a list or an object of rows.`)
  for (const [key, row] of Object.entries(document)) {
    const name = `${basename(path)}: ${key}`
    if (row === null || typeof row !== 'object' || Array.isArray(row))
      yield { name, reason: 'The row is not an object.' }
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
