import { isUtf8 } from 'node:buffer'

/** Byte order marks. Excel ("Unicode Text") and PowerShell 5 (`>`) write UTF-16 with its mark. */
const MARKS = [
  { encoding: 'utf-8', bytes: Buffer.from([0xef, 0xbb, 0xbf]) },
  { encoding: 'utf-16le', bytes: Buffer.from([0xff, 0xfe]) },
  { encoding: 'utf-16be', bytes: Buffer.from([0xfe, 0xff]) }
]
const LONGEST_MARK = 3
const NEWLINE = 0x0a

/**
 * The bytes of a text as UTF-8, without a byte order mark: UTF-16 that has its mark is converted. Bytes that
 * are not UTF-8 are passed on, so that the reader can name their line.
 */
export async function* utf8Chunks(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let head: Buffer | undefined = Buffer.alloc(0)
  let convert = (chunk: Buffer): Buffer => chunk
  for await (const chunk of chunks) {
    if (head === undefined) {
      yield convert(chunk)
      continue
    }
    head = Buffer.concat([head, chunk])
    if (head.length < LONGEST_MARK) continue
    convert = converterOf(head)
    yield convert(withoutMark(head))
    head = undefined
  }
  if (head?.length) yield converterOf(head)(withoutMark(head))
  // The end of UTF-16 that was cut in the middle of a character.
  convert(Buffer.alloc(0))
}

function markOf(head: Buffer): (typeof MARKS)[number] | undefined {
  return MARKS.find(({ bytes }) => head.subarray(0, bytes.length).equals(bytes))
}

function withoutMark(head: Buffer): Buffer {
  return head.subarray(markOf(head)?.bytes.length ?? 0)
}

function converterOf(head: Buffer): (chunk: Buffer) => Buffer {
  const { encoding = 'utf-8' } = markOf(head) ?? {}
  if (encoding === 'utf-8') return (chunk) => chunk
  const decoder = new TextDecoder(encoding, { fatal: true })
  return (chunk) => Buffer.from(decoder.decode(chunk, { stream: chunk.length > 0 }))
}

/**
 * The text of a small file, in UTF-8 or in UTF-16 with its mark. Throws an Error that names the first line
 * that is not.
 */
export function decodeText(bytes: Buffer): string {
  const { encoding = 'utf-8' } = markOf(bytes) ?? {}
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes)
  } catch (cause) {
    if (encoding !== 'utf-8') throw new Error(`The text is not valid ${encoding.toUpperCase()}.`, { cause })
    throw new Error(`Line ${firstBadLine(bytes)} is not UTF-8; save the text as UTF-8.`, { cause })
  }
}

function firstBadLine(bytes: Buffer): number {
  let line = 1
  for (let start = 0; start < bytes.length; line++) {
    const found = bytes.indexOf(NEWLINE, start)
    const end = found === -1 ? bytes.length : found
    if (!isUtf8(bytes.subarray(start, end))) break
    start = end + 1
  }
  return line
}
