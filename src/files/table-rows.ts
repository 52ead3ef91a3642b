import { createReadStream } from 'node:fs'
import { pipeline, Readable } from 'node:stream'
import { parse, type CsvError } from 'csv-parse'
import type { Fault } from './fault.js'
import { readLines } from './lines.js'
import { utf8Chunks } from './utf8.js'

/** A row of a table, with the line that it is on. */
export interface Row {
  line: number
  fields: Record<string, unknown>
}

/** How a table is written: a line of JSON each row, or with a header, and this between its columns. */
export type TableLayout = 'jsonl' | { delimiter: string }

/** Most bytes of a row: more is a quote that nothing closes. */
const MAX_ROW_BYTES = 16 << 20

/**
 * The rows of a table: CSV with a header, TSV, or a line of JSON each, as its name says by default. Where it
 * can't be read any further a fault is the last.
 */
export async function* tableRows(path: string, layout = layoutByName(path)): AsyncGenerator<Row | Fault> {
  try {
    yield* layout === 'jsonl' ? jsonRows(path) : csvRows(path, layout.delimiter)
  } catch (error) {
    // Ids may be among what it would have said.
    yield {
      name: path,
      reason: `The rest of the table can't be read: ${(error as Error).message}`,
      hides: true
    }
  }
}

function layoutByName(path: string): TableLayout {
  if (/\.(jsonl|ndjson)$/i.test(path)) return 'jsonl'
  return { delimiter: /\.tsv$/i.test(path) ? '\t' : ',' }
}

async function* csvRows(path: string, delimiter: string): AsyncGenerator<Row | Fault> {
  // A row that is wrong in several places is one fault.
  const faults = new Map<number, Fault>()
  const onSkip = (error?: CsvError) => {
    const line = error!.lines as number
    if (!faults.has(line))
      faults.set(line, { name: `${path}:${line}`, reason: `The row can't be read: ${error!.message}` })
    return undefined
  }
  // As Latin-1 each character is a byte, so that a row which is not UTF-8 can be told from the others.
  const parser = parse({
    encoding: 'latin1',
    columns: columnNames,
    skip_empty_lines: true,
    info: true,
    relax_column_count_less: true,
    skip_records_with_error: true,
    on_skip: onSkip,
    max_record_size: MAX_ROW_BYTES,
    delimiter
  })
  // An error of the file is thrown below, where the rows are read.
  pipeline(Readable.from(utf8Chunks(createReadStream(path))), parser, () => undefined)
  for await (const { record, info } of parser as AsyncIterable<{
    record: Record<string, string>
    info: { lines: number }
  }>)
    yield rowOf(path, record, info.lines)
  yield* faults.values()
}

/**
 * The names in a header. Throws an Error where one is there twice, since one of the two columns would be
 * lost.
 */
function columnNames(header: string[]): string[] {
  const names = header.map(fromBytes)
  if (names.includes(undefined)) throw new Error('the header is not UTF-8; save the file as UTF-8')
  const twice = names.find((name, i) => name !== '' && names.indexOf(name) < i)
  if (twice !== undefined) throw new Error(`the header has the column '${twice}' twice; rename one of them`)
  return names as string[]
}

/** A row without its empty cells, which say nothing of a picture. */
function rowOf(path: string, record: Record<string, string>, line: number): Row | Fault {
  const fields: Record<string, string> = {}
  for (const [name, bytes] of Object.entries(record)) {
    const cell = fromBytes(bytes)
    if (cell === undefined)
      return { name: `${path}:${line}`, reason: `The column '${name}' is not UTF-8; save the file as UTF-8.` }
    if (name !== '' && cell !== '') fields[name] = cell
  }
  return { line, fields }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const ASCII = /^[\0-\x7f]*$/

/** The text whose UTF-8 these characters are, a byte each; undefined where they are not UTF-8. */
function fromBytes(bytes: string): string | undefined {
  if (ASCII.test(bytes)) return bytes
  try {
    return utf8.decode(Buffer.from(bytes, 'latin1'))
  } catch {
    return undefined
  }
}

async function* jsonRows(path: string): AsyncGenerator<Row | Fault> {
  for await (const found of readLines(path)) {
    if ('reason' in found) {
      yield found
      continue
    }
    const { line, text } = found
    try {
      const fields = JSON.parse(text)
      if (fields === null || typeof fields !== 'object' || Array.isArray(fields))
        throw new Error('it is not an object')
      yield { line, fields }
    } catch (error) {
      yield { name: `${path}:${line}`, reason: `The line is not a row in JSON: ${(error as Error).message}` }
    }
  }
}
