import type { paths } from './api.js'
import { answersOf, type BulkAnswer } from './bulk-answers.js'
import { LONGEST_WAIT_MS, wait, waitAfter, type Send } from './retry.js'
import { errorOf, SemblanceError } from './semblance-error.js'
import { UnansweredLines } from './unanswered-lines.js'

type WriteRecords = paths['/v1/collections/{collection}/records']['post']

/** A record to be added or replaced. */
export type RecordToWrite = WriteRecords['requestBody']['content']['application/json']['records'][number]

export interface BulkOptions {
  /**
   * Stands for one load of these records: with it a load continues by itself after a lost connection, and
   * when it is sent again.
   */
  idempotencyKey?: string
  /** The number of the first record that is given here; 1 by default. */
  fromLine?: number
  signal?: AbortSignal
  /**
   * How often a load under a key is resumed where no line was answered since; by default as often as the
   * client sends a call again.
   */
  retries?: number
  /** Whether the body is streamed; by default it is, outside of browsers. Else the records go in batches. */
  stream?: boolean
}

export interface BulkCall extends BulkOptions {
  send: Send
  /** Without further tries: for a stream, of which what was read is gone. */
  once: Send
  /** Of the collection: `http://localhost:8080/v1/collections/pets`. */
  url: string
  headers: Record<string, string>
  retries: number
}

/** A record, or a line of JSON that is sent as it is, without its end: as text, or in UTF-8. */
type RecordOrLine = RecordToWrite | string | Uint8Array
/** What is loaded. */
export type Records = AsyncIterable<RecordOrLine> | Iterable<RecordOrLine>

/** Ends of a load after which the same may be resumed. */
const PASSING = new Set([
  'CLOSED',
  'WORKER_DIED',
  'WORKERS_DOWN',
  'QUEUE_FULL',
  'RATE_LIMITED',
  'COLLECTION_REPLACED',
  'BULK_LOAD_RUNNING'
])

/** Loads records, and yields what became of each in their order; see `Client.bulk`. */
export async function* bulk(records: Records, call: BulkCall): AsyncGenerator<BulkAnswer, void, undefined> {
  const { idempotencyKey: key, fromLine = 1, stream = isNode(), retries } = call
  const lines = new UnansweredLines(records, fromLine)
  try {
    if (key !== undefined && !stream) yield* skipLoaded(lines, call)
    for (let tries = 0, end = Infinity; !(await lines.isDone());) {
      const before = lines.first
      try {
        yield* sendLines(lines, call, stream)
      } catch (error) {
        if (lines.failure) throw lines.failure.error
        if (lines.first > before) tries = 0
        if (key === undefined || call.signal?.aborted || !isPassing(error) || tries >= retries)
          throw stoppedAt(error, lines.first - 1, call)
        if (tries === 0) end = Date.now() + LONGEST_WAIT_MS
        const pause = Math.max(
          waitAfter(undefined, tries++),
          ((error as SemblanceError).retryAfter ?? 0) * 1000
        )
        if (Date.now() + pause > end) throw stoppedAt(error, lines.first - 1, call)
        await wait(pause, call.signal)
      }
    }
  } finally {
    await lines.close()
  }
}

/**
 * Answers the lines that are known under the key: a batch that ends before them would be taken for another
 * load.
 */
async function* skipLoaded(
  lines: UnansweredLines,
  { send, url, headers, idempotencyKey, signal }: BulkCall
): AsyncGenerator<BulkAnswer> {
  const response = await send(
    new Request(`${url}/bulk/${encodeURIComponent(idempotencyKey!)}`, { headers, signal })
  )
  if (response.status === 404) return void (await response.body?.cancel())
  if (!response.ok) throw await errorOf(response)
  const load = (await response.json()) as {
    lines: number
    failures: { line: number; id: string | null; error: { code: string; message: string } }[]
  }
  const failures = new Map(load.failures.map((failure) => [failure.line, failure]))
  while (lines.first <= load.lines && !(await lines.isDone())) {
    const line = lines.first
    const failure = failures.get(line)
    const id = lines.answered(line)
    yield failure
      ? { ...failure, status: 'failed' }
      : { line, ...(id !== undefined && { id }), status: 'skipped' }
  }
}

/** Sends lines in one call; yields their answers. Throws where they do not come to their end. */
async function* sendLines(
  lines: UnansweredLines,
  call: BulkCall,
  stream: boolean
): AsyncGenerator<BulkAnswer> {
  const { idempotencyKey: key, url, headers } = call
  const over = new AbortController()
  const batch = stream ? undefined : await lines.batch()
  const after = lines.first + (batch?.length ?? Infinity)
  const request = new Request(`${url}/records/bulk?from_line=${lines.first}`, {
    method: 'POST',
    body: batch ? new Blob(batch) : lines.stream(),
    headers: {
      ...headers,
      'content-type': 'application/x-ndjson',
      ...(key !== undefined && { 'idempotency-key': key })
    },
    signal: call.signal ? AbortSignal.any([call.signal, over.signal]) : over.signal,
    ...(stream && { duplex: 'half' })
  } as RequestInit)
  try {
    const response = await (stream ? call.once : call.send)(request)
    if (!response.ok) throw await errorOf(response)
    for await (const answer of answersOf(response)) {
      const id = lines.answered(answer.line)
      yield id !== undefined && answer.id === undefined ? { ...answer, id } : answer
    }
    if (lines.first < after && !(await lines.isDone()))
      throw new TypeError('The connection was lost before every record was answered.')
  } finally {
    over.abort()
  }
}

/**
 * Whether an error leaves the load to be resumed: a lost connection (a TypeError of fetch), or a service
 * that is not there for a while.
 */
function isPassing(error: unknown): boolean {
  return error instanceof SemblanceError ? PASSING.has(error.code) : error instanceof TypeError
}

/** A lost connection says how far the load is and how to continue; what the service ended says so itself. */
function stoppedAt(error: unknown, done: number, { idempotencyKey: key, signal }: BulkCall): unknown {
  if (!(error instanceof TypeError) || signal?.aborted) return error
  const soFar = done === 0 ? 'No record was answered' : `Records up to ${done} were answered`
  const resume =
    key === undefined
      ? `send those from ${done + 1} on, with fromLine`
      : 'send the same records again with this idempotencyKey'
  const lost = error.message.replace(/([^.])$/, '$1.')
  return new TypeError(`${lost} ${soFar}; later ones may also be stored. To continue, ${resume}.`, {
    cause: error
  })
}

function isNode(): boolean {
  return (globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node !== undefined
}
