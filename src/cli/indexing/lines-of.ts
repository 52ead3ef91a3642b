const NEWLINE = 0x0a

/** The lines of a text that come after so many. Those at its end that are blank, which nobody answers, are left out. */
export async function* linesOf(chunks: AsyncIterable<Buffer>, after: number): AsyncGenerator<string> {
  let number = 0
  let blank = 0
  for await (const bytes of splitLines(chunks)) {
    if (++number <= after) continue
    const line = bytes.toString()
    if (line.trim() === '') {
      blank++
      continue
    }
    for (; blank > 0; blank--) yield ''
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
