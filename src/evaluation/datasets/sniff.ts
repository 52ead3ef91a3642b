import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import type { TableLayout } from '../../files/table-rows.js'
import { CAPTION_COLUMNS, IMAGE_COLUMNS, LABEL_COLUMNS, NEGATIVE_COLUMNS, PAIR_COLUMNS } from './columns.js'
import { isCaptionLine, isTokenLine } from './flickr.js'

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
export function nameOf(column: string): string {
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
