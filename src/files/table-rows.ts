import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { parse, type CsvError } from 'csv-parse'
import type { Fault } from './fault.js'
import { readLines } from './lines.js'

/** A row of a table, with the line that it is on. */
export interface Row {
  line: number
  fields: Record<string, unknown>
}

/** How a table is written: a line of JSON each row, or with a header, and this between its columns. */
export type TableLayout = 'jsonl' | { delimiter: string }

/** Most bytes of a row: more is a quote that nothing closes. */
const MAX_ROW_BYTES = 16 << 20

/** The rows of a table: CSV with a header, TSV, or a line of JSON each, as its name says by default. Where it can't be read any further a fault is the last. */
export async function* tableRows(path: string, layout = layoutByName(path)): AsyncGenerator<Row | Fault> {
  try {
    yield* layout === 'jsonl' ? jsonRows(path) : csvRows(path, layout.delimiter)
  } catch (error) {
    // Ids may be among what it would have said.
    yield { name: path, reason: `The table can't be read any further: ${(error as Error).message}`, hides: true }
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
    if (!faults.has(line)) faults.set(line, { name: `${path}:${line}`, reason: `The row can't be read: ${error!.message}` })
    return undefined
  }
  const parser = parse({ bom: true, columns: true, skip_empty_lines: true, info: true, relax_column_count_less: true, skip_records_with_error: true, on_skip: onSkip, max_record_size: MAX_ROW_BYTES, delimiter })
  // An error of the file is thrown below, where the rows are read.
  pipeline(createReadStream(path), parser, () => undefined)
  for await (const { record, info } of parser as AsyncIterable<{ record: Record<string, string>; info: { lines: number } }>) {
    // An empty cell says nothing of a picture.
    yield { line: info.lines, fields: Object.fromEntries(Object.entries(record).filter(([name, cell]) => name !== '' && cell !== '')) }
  }
  yield* faults.values()
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
      if (fields === null || typeof fields !== 'object' || Array.isArray(fields)) throw new Error('it is no object')
      yield { line, fields }
    } catch (error) {
      yield { name: `${path}:${line}`, reason: `The line is no JSON of a row: ${(error as Error).message}` }
    }
  }
}
