import { createReadStream } from 'node:fs'
import type { Fault } from './fault.js'
import { utf8Chunks } from './utf8.js'

/** A line of a text file, without its end. */
export interface Line {
  line: number
  text: string
}

/** Most bytes of a line: more is no row, but a file without line ends. */
const MAX_LINE_BYTES = 16 << 20
const NEWLINE = 0x0a

/**
 * The lines of a text file that are not blank. One that is too long, or is not UTF-8, is a fault, and the
 * next ones follow.
 */
export async function* readLines(path: string, maxBytes = MAX_LINE_BYTES): AsyncGenerator<Line | Fault> {
  let [parts, bytes, line]: [Buffer[], number, number] = [[], 0, 0]
  const add = (part: Buffer) => {
    bytes += part.length
    if (bytes <= maxBytes) parts.push(part)
    else parts = []
  }
  const take = () => {
    const found = lineOf(parts, { bytes, line: ++line, path, maxBytes })
    ;[parts, bytes] = [[], 0]
    return found
  }
  for await (const chunk of utf8Chunks(createReadStream(path))) {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      add(chunk.subarray(start, end))
      start = end + 1
      const found = take()
      if (found) yield found
    }
    add(chunk.subarray(start))
  }
  const last = bytes > 0 ? take() : undefined
  if (last) yield last
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function lineOf(
  parts: Buffer[],
  { bytes, line, path, maxBytes }: { bytes: number; line: number; path: string; maxBytes: number }
): Line | Fault | undefined {
  if (bytes > maxBytes)
    return {
      name: `${path}:${line}`,
      reason: `The line has ${bytes} bytes; at most ${maxBytes} are allowed.`
    }
  try {
    const text = utf8.decode(Buffer.concat(parts)).replace(/\r$/, '')
    return text.trim() === '' ? undefined : { line, text }
  } catch {
    return { name: `${path}:${line}`, reason: 'The line is not UTF-8; save the file as UTF-8.' }
  }
}
