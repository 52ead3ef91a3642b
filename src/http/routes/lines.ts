import type { Readable } from 'node:stream'
import { InvalidRequest } from '../../errors.js'
import { abortable } from '../../threading/abortable.js'

const NEWLINE = 0x0a

/** A line without its end, or why it was not taken in. */
export type RawLine = { bytes: Buffer } | { error: unknown }

/**
 * The lines of a stream; one that is too long comes as its error. At most one line and one chunk are in
 * memory.
 */
export async function* readLines(
  stream: Readable,
  { maxBytes }: { maxBytes: number }
): AsyncGenerator<RawLine> {
  let parts: Buffer[] = []
  let length = 0
  const take = (): RawLine => {
    const line =
      length > maxBytes
        ? { error: new InvalidRequest(`The line has more than ${maxBytes} bytes.`) }
        : { bytes: parts.length === 1 ? parts[0] : Buffer.concat(parts) }
    parts = []
    length = 0
    return line
  }
  const add = (part: Buffer) => {
    length += part.length
    if (length <= maxBytes) parts.push(part)
    else parts = []
  }
  // Who stops reading may still have to tell the client why: its connection is not to be cut.
  for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
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

/**
 * Yields items until a signal aborts, then throws the reason, even while it waits for an item. Later items
 * are discarded: a client that is blocked while it writes might never read the response.
 */
export async function* untilAborted<T>(items: AsyncGenerator<T>, signal: AbortSignal): AsyncGenerator<T> {
  try {
    for (;;) {
      const { done, value } = await abortable(items.next(), signal)
      if (done) return
      yield value
    }
  } finally {
    if (signal.aborted) void discard(items)
    else await items.return(undefined)
  }
}

async function discard(items: AsyncGenerator<unknown>): Promise<void> {
  // The end of the connection ends it too.
  while (!(await items.next().catch(() => ({ done: true }))).done);
}
