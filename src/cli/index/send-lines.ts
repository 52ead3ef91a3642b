import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { addAbortSignal, type Readable } from 'node:stream'
import type { BulkAnswer } from '../../client/client.js'
import { SemblanceError } from '../../client/semblance-error.js'
import { fileDigest } from '../../collections/file-digest.js'
import { utf8Chunks } from '../../files/utf8.js'
import { UnreachableError } from '../exit-codes.js'
import { host } from '../host.js'
import type { Service } from '../service.js'

export interface LinesOptions {
  collection: string
  /** Whether lines that were loaded from this very file before are sent again. */
  all: boolean
  signal: AbortSignal
  onAnswer: (answer: BulkAnswer) => void
  /** Told how far the load is: at first, and at the end where answers were lost. */
  onLoad: (load: LoadState) => void
}

/** How far a load is, as the service knows it. */
export interface LoadState {
  /** Lines that were answered for good, and so are not sent again. */
  lines: number
  created: number
  updated: number
  failures: { line: number; error: { code: string; message: string } }[]
}

/**
 * How often a load is resumed before it is given up; waits double from half a second, so that these are
 * some half a minute.
 */
const TRIES = 6

/**
 * Streams lines of records as they are into a collection. A file goes under a key made of what is in it: what
 * was cut off continues where it was, and the same file again is nothing to do. Standard input, `-`, goes
 * under a key of this run.
 */
export async function sendLines(service: Service, file: string, options: LinesOptions): Promise<void> {
  const { collection, all, signal, onAnswer, onLoad } = options
  const key = file === '-' || all ? randomUUID() : `file-${await fileDigest(file)}`
  const load = await loadState(service, key, options)
  onLoad(load)
  // The signal ends a wait for standard input.
  const input: Readable = addAbortSignal(
    signal,
    file === '-' ? host().stdin : createReadStream(file, { highWaterMark: 1 << 18 })
  )
  let isLost = false
  try {
    for await (const answer of service.api.bulk(collection, linesOf(input, load.lines), {
      idempotencyKey: key,
      fromLine: load.lines + 1,
      retries: TRIES,
      signal
    })) {
      isLost ||= answer.status === 'skipped'
      onAnswer(answer)
    }
  } catch (error) {
    // What was stored is counted right, if the service can still be asked.
    if (isLost) await loadState(service, key, options).then(onLoad, () => undefined)
    throw unreachable(service, error)
  } finally {
    // Open, it would keep the command running.
    input.destroy()
  }
  if (isLost) onLoad(await loadState(service, key, options))
}

/**
 * An error of the load, where a lost connection is an UnreachableError: also one that broke in the middle of
 * an answer.
 */
function unreachable({ url }: Service, error: unknown): unknown {
  if (!(error instanceof TypeError)) return error
  const { cause = error } = error as { cause?: unknown }
  if (cause instanceof UnreachableError) return cause
  return new UnreachableError(`The connection to ${url} broke: ${(cause as Error).message}`, { cause: error })
}

async function loadState(
  service: Service,
  key: string,
  { collection, signal }: LinesOptions
): Promise<LoadState> {
  try {
    return await service.api.get('/v1/collections/{collection}/bulk/{key}', {
      params: { path: { collection, key } },
      signal
    })
  } catch (error) {
    if (error instanceof SemblanceError && error.code === 'BULK_LOAD_NOT_FOUND')
      return { lines: 0, created: 0, updated: 0, failures: [] }
    throw error
  }
}

const NEWLINE = 0x0a
const NO_LINE = Buffer.alloc(0)
/** Longer lines are not blank, whatever is in them. */
const LONGEST_BLANK = 1024

/**
 * The lines of a text that come after so many, as bytes: the service names those that are not UTF-8. Those at
 * its end that are blank, which no one answers, are left out.
 */
async function* linesOf(chunks: AsyncIterable<Buffer>, after: number): AsyncGenerator<Buffer> {
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
