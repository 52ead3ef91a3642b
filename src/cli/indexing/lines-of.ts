import { utf8Chunks } from '../../files/utf8.js'

const NEWLINE = 0x0a
const NO_LINE = Buffer.alloc(0)
/** Longer lines are not blank, whatever is in them. */
const LONGEST_BLANK = 1024

/**
 * The lines of a text that come after so many, as bytes: the service names those that are not UTF-8. Those at
 * its end that are blank, which nobody answers, are left out.
 */
export async function* linesOf(chunks: AsyncIterable<Buffer>, after: number): AsyncGenerator<Buffer> {
  let number = 0
  let blank = 0
  for await (const line of splitLines(utf8Chunks(chunks))) {
    if (++number <= after) continue
    if (line.length <= LONGEST_BLANK && line.toString('latin1').trim() === '') {
      blank++
      continue
    }
    for (; blank > 0; blank--) yield NO_LINE
    yield line
  }
}

/** Bytes by lines, without their ends. */
async function* splitLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  // A line with an image is longer than a chunk: its parts are put together once.
  let parts: Buffer[] = []
  for await (const chunk of chunks) {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      yield Buffer.concat([...parts, chunk.subarray(start, end)])
      parts = []
      start = end + 1
    }
    if (start < chunk.length) parts.push(chunk.subarray(start))
  }
  if (parts.length > 0) yield Buffer.concat(parts)
}
