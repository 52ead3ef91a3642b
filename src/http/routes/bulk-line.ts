import { isUtf8 } from 'node:buffer'
import { createHash, randomUUID } from 'node:crypto'
import { InvalidRequest } from '../../errors.js'
import { parseJson } from '../../json/parse.js'
import { imageBytes } from './image-body.js'
import type { RawLine } from './lines.js'
import { recordChecker, type UnfetchedRecord } from './sent-record.js'
import type { App } from './services.js'

/** A line of a bulk load with its number: a record, whose image may have to be fetched, or why it is none. */
export type Line<Content = UnfetchedRecord> =
  { line: number; record: Content } | { line: number; id: string | null; error: unknown }

export interface LineParserOptions {
  maxImageBytes: number
  /** The key of a load that can be resumed. */
  key?: string
}

/** A function that makes a record of a line. */
export function lineParser(
  app: App,
  { maxImageBytes, key }: LineParserOptions
): (line: number, raw: RawLine) => Line {
  const check = recordChecker(app)
  return (line, raw) => {
    let named: string | null = null
    try {
      if ('error' in raw) throw raw.error
      const sent = check(parseLine(raw.bytes))
      if ('error' in sent) return { line, ...sent }
      named = sent.id ?? null
      const { id = key === undefined ? randomUUID() : lineId(key, line), image, ...rest } = sent
      const decoded =
        image && !(image instanceof Uint8Array) && image.url === undefined
          ? imageBytes(image, maxImageBytes)
          : image
      return { line, record: { id, ...rest, ...(decoded && { image: decoded }) } }
    } catch (error) {
      return { line, id: named, error }
    }
  }
}

/** Whether a line holds nothing but white space. */
export function isBlank(raw: RawLine): boolean {
  return 'bytes' in raw && raw.bytes[0] !== 0x7b && raw.bytes.toString().trim() === ''
}

/** The name space of the ids that lines are given: a UUID drawn once. */
const NAME_SPACE = Buffer.from('6f1b3d0e5a4c4f7e9b8d2c7a1e5f9043', 'hex')

/**
 * The id of a record that brings none, by the key of its load and its line: a UUID of version 5 (RFC 9562,
 * section 5.5).
 */
function lineId(key: string, line: number): string {
  const bytes = createHash('sha1').update(NAME_SPACE).update(`${line} ${key}`).digest().subarray(0, 16)
  bytes[6] = (bytes[6] & 0x0f) | 0x50
  bytes[8] = (bytes[8] & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

function parseLine(bytes: Buffer): unknown {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b)
    throw new InvalidRequest('The line is compressed with gzip; send it uncompressed.')
  if (!isUtf8(bytes)) throw new InvalidRequest('The line is not UTF-8; send it in UTF-8.')
  return parseJson(bytes, { name: 'The line' })
}
