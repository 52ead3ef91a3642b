import { isUtf8 } from 'node:buffer'
import type { Readable } from 'node:stream'
import { InvalidRequest } from '../errors.js'

const NEWLINE = 0x0a

/**
 * The lines of a stream, without their ends; one that is too long or no UTF-8 comes as its error. At most one line and
 * one chunk are in memory.
 */
export async function* readLines(stream: Readable, { maxBytes }: { maxBytes: number }): AsyncGenerator<{ text: string } | { error: unknown }> {
  let parts: Buffer[] = []
  let length = 0
  const take = (): { text: string } | { error: unknown } => {
    const bytes = Buffer.concat(parts)
    const isTooLong = length > maxBytes
    parts = []
    length = 0
    if (isTooLong) return { error: new InvalidRequest(`The line is over ${maxBytes} bytes.`) }
    return isUtf8(bytes) ? { text: bytes.toString() } : { error: new InvalidRequest('The line is not UTF-8.') }
  }
  const add = (part: Buffer) => {
    length += part.length
    if (length <= maxBytes) parts.push(part)
    else parts = []
  }
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      add(chunk.subarray(start, end))
      yield take()
      start = end + 1
    }
    if (start < chunk.length) add(chunk.subarray(start))
  }
  if (length > 0) yield take()
}
