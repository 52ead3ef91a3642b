import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { FILE_COLUMNS, TEXT_COLUMNS } from '../../files/columns.js'
import { typed } from '../../files/column-types.js'
import type { Fault } from '../../files/fault.js'
import { decodeText } from '../../files/utf8.js'
import { tableRows, type Row } from '../../files/table-rows.js'
import { tableTypes, type TypeRules } from './table-types.js'

/** What is said of an image: its text, and fields of its metadata. */
export interface Caption {
  text?: string
  metadata?: Record<string, unknown>
  /** Its own id, where a table gives one. */
  id?: string
}

/** The longest text that a file beside an image may be, in bytes; the API takes 8,000 characters. */
const MAX_SIDECAR_BYTES = 64 * 1024

/** The text of a file: UTF-8, without what surrounds it. Throws where it is none. */
export async function readSidecar(path: string): Promise<string> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    if (size > MAX_SIDECAR_BYTES) throw new Error(`it has ${size} bytes, which is too long for a caption`)
    return decodeText(await file.readFile()).trim()
  } finally {
    await file.close()
  }
}

/** Takes a row apart: the file that it names, the text, an id, and what is left as metadata. */
export function captionOf({ fields }: Row, textColumn?: string): Caption & { file?: string } {
  const column = (names: string[]) => names.find((name) => typeof fields[name] === 'string')
  const [file, text] = [column(FILE_COLUMNS), column(textColumn === undefined ? TEXT_COLUMNS : [textColumn])]
  const id = typeof fields.id === 'string' || typeof fields.id === 'number' ? String(fields.id) : undefined
  const rest = Object.entries(fields).filter(
    ([name]) => name !== file && name !== text && !(name === 'id' && id !== undefined)
  )
  return {
    ...(file !== undefined && { file: fields[file] as string }),
    ...(text !== undefined && { text: fields[text] as string }),
    ...(id !== undefined && { id }),
    ...(rest.length > 0 && { metadata: Object.fromEntries(rest) })
  }
}

export interface CaptionOptions extends TypeRules {
  /** The names of the files in the folder. */
  files: string[]
  textColumn?: string
}

/** What a folder's metadata.jsonl or metadata.csv says of files in it and below, by their path from it. */
export async function folderCaptions(
  folder: string,
  options: CaptionOptions
): Promise<{ captions: Map<string, Caption>; faults: Fault[] }> {
  const captions = new Map<string, Caption>()
  const faults: Fault[] = []
  for (const name of ['metadata.jsonl', 'metadata.csv'].filter((table) => options.files.includes(table))) {
    const path = join(folder, name)
    const types = await tableTypes(path, options)
    for await (const row of tableRows(path)) {
      try {
        if ('reason' in row) throw new Error(row.reason)
        const { file, metadata, ...caption } = captionOf(row, options.textColumn)
        if (file === undefined) throw new Error('The row has no file_name.')
        const key = file.replaceAll('\\', '/').replace(/^\.\//, '').normalize()
        captions.set(key, { ...caption, ...(metadata && { metadata: typed(metadata, types) }) })
      } catch (error) {
        // It may be the row that gives a file its id.
        const place = 'reason' in row ? row.name : `${path}:${row.line}`
        faults.push({ name: place, reason: (error as Error).message, hides: true })
      }
    }
  }
  return { captions, faults }
}
