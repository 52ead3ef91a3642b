import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { FILE_COLUMNS, TEXT_COLUMNS } from '../../files/columns.js'
import type { Fault } from '../../files/fault.js'
import { tableRows, type Row } from '../../files/table-rows.js'

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
    if (size > MAX_SIDECAR_BYTES) throw new Error(`it has ${size} bytes, which is no caption`)
    return new TextDecoder('utf-8', { fatal: true }).decode(await file.readFile()).trim()
  } finally {
    await file.close()
  }
}

/** Takes a row apart: the file that it names, the text, an id, and what is left as metadata. */
export function captionOf({ fields }: Row, textColumn?: string): Caption & { file?: string } {
  const column = (names: string[]) => names.find((name) => typeof fields[name] === 'string')
  const [file, text] = [column(FILE_COLUMNS), column(textColumn === undefined ? TEXT_COLUMNS : [textColumn])]
  const id = typeof fields.id === 'string' || typeof fields.id === 'number' ? String(fields.id) : undefined
  const rest = Object.entries(fields).filter(([name]) => name !== file && name !== text && !(name === 'id' && id !== undefined))
  return {
    ...(file !== undefined && { file: fields[file] as string }),
    ...(text !== undefined && { text: fields[text] as string }),
    ...(id !== undefined && { id }),
    ...(rest.length > 0 && { metadata: Object.fromEntries(rest) })
  }
}

/** What a folder's metadata.jsonl or metadata.csv says of files in it and below, by their path from it. */
export async function folderCaptions(folder: string, { files, textColumn }: { files: string[]; textColumn?: string }): Promise<{ captions: Map<string, Caption>; faults: Fault[] }> {
  const captions = new Map<string, Caption>()
  const faults: Fault[] = []
  for (const name of ['metadata.jsonl', 'metadata.csv'].filter((table) => files.includes(table))) {
    for await (const row of tableRows(join(folder, name))) {
      const { file, ...caption } = 'reason' in row ? {} as ReturnType<typeof captionOf> : captionOf(row, textColumn)
      // It may be the row that gives a file its id.
      if ('reason' in row) faults.push({ ...row, hides: true })
      else if (file === undefined) faults.push({ name: `${join(folder, name)}:${row.line}`, reason: 'The row has no file_name.', hides: true })
      else captions.set(file.replaceAll('\\', '/').replace(/^\.\//, '').normalize(), caption)
    }
  }
  return { captions, faults }
}
