import type { RecordWrite } from '../../collections/record.js'
import type { BulkLoadStep } from '../../collections/stores/bulk-load.js'
import { type ErrorShape, InvalidRequest, isPublicError, isTransient, toErrorShape } from '../../errors.js'
import {
  failedResult,
  type Faulty,
  type IngestResult,
  type NewRecord,
  prepareRecords,
  writeRecords
} from '../../records/ingest.js'
import { encoderOf, type Target } from '../../records/record-parts.js'
import type { CallOptions } from '../../threading/call-options.js'
import { retry } from '../../threading/retry.js'
import { createYielder } from '../../threading/yield-to-event-loop.js'
import { isBlank, type Line } from './bulk-line.js'
import type { Checkpoint, LineLedger } from './line-ledger.js'
import type { RawLine } from './lines.js'
import type { LoadRecord } from './load-record.js'
import type { UnfetchedRecord } from './sent-record.js'

/** Records that are encoded and committed together. */
const BATCH = 64
/** Bytes of lines after which a batch continues its way before it is full. */
const BATCH_BYTES = 8 << 20
/** Lines that were answered before and are answered together. */
const SKIPPED_BATCH = 1000
/** A load waits while a queue is full, for as long as its client does; other transient errors end it. */
const WHILE_FULL = { delayMs: 200, maxFullMs: Infinity, maxDownMs: 0, maxDeaths: 1 }

/**
 * Lines in a row that are no records, after which a load ends: what is sent is not what its sender takes it
 * for.
 */
const MAX_MISSHAPEN = 1000

/** A line, and the checkpoint of the stream after it. */
type CheckpointedLine<Content = UnfetchedRecord> = Line<Content> & { checkpoint: Checkpoint }
/** Lines whose images are there, or why not. */
type Part = CheckpointedLine<NewRecord | Faulty>[]

export interface BulkStream {
  lines: AsyncIterable<RawLine>
  ledger: LineLedger
  parse: (line: number, raw: RawLine) => Line
  loadRecord: LoadRecord
  target: Target
  callOptions: CallOptions & { signal: AbortSignal }
  /** The key of a load that can be resumed. */
  key?: string
  onResult: (status: IngestResult['status']) => void
}

/** Writes the lines of a stream batch by batch; yields their answers, a line each, in their order. */
export async function* answerLines(stream: BulkStream): AsyncGenerator<string> {
  const { ledger, target, key } = stream
  let done = ledger.before
  try {
    for await (const batch of batches(stream)) {
      if (typeof batch === 'string') {
        yield batch
        continue
      }
      for await (const part of fetchImages(batch, stream.loadRecord)) {
        const answers = await writePart(stream, part)
        done = part.at(-1)!.line
        yield answers
      }
    }
    const step = key !== undefined && ledger.lastStep()
    if (step)
      await retryWhileFull(stream.callOptions, () =>
        target.collection.upsert([], { load: { key, ...step, failed: [], completed: true } })
      )
  } catch (error) {
    throw stoppedLoad(error, { done, key })
  }
}

/** Writes lines in one commit, with the step of the load that they are. Returns their answers. */
async function writePart(
  { ledger, target, callOptions, key, onResult }: BulkStream,
  part: Part
): Promise<string> {
  const prepared = await prepareWhenFree(target, part, callOptions)
  const load =
    key === undefined
      ? undefined
      : {
          key,
          ...ledger.step(part.at(-1)!.checkpoint),
          failed: failedLines(part, prepared),
          completed: false
        }
  const results = await retryWhileFull(callOptions, () =>
    writeRecords(target, { prepared, load }, callOptions)
  )
  for (const { status } of results) onResult(status)
  return results.map((result, i) => toAnswer(part[i], result) + '\n').join('')
}

function toAnswer(line: Part[number], result: IngestResult): string {
  return JSON.stringify({ line: line.line, ...result, ...('error' in line && { id: line.id }) })
}

function failedLines(batch: Part, prepared: (RecordWrite | Faulty)[]): BulkLoadStep['failed'] {
  return prepared.flatMap((record, i) =>
    'error' in record ? [{ line: batch[i].line, body: toAnswer(batch[i], failedResult(record)) }] : []
  )
}

/**
 * Groups lines into batches that are neither long nor heavy; the answers of lines that were answered before
 * come as text.
 */
async function* batches({ lines, ledger, parse }: BulkStream): AsyncGenerator<CheckpointedLine[] | string> {
  let batch: CheckpointedLine[] = []
  let answers: string[] = []
  let bytes = 0
  let misshapen = 0
  const yieldToEventLoop = createYielder()
  for await (const raw of lines) {
    await yieldToEventLoop()
    const { number, answer } = ledger.next(raw)
    if (isBlank(raw)) continue
    if (answer !== undefined) answers.push(answer + '\n')
    if (answers.length > 0 && (answer === undefined || answers.length === SKIPPED_BATCH)) {
      yield answers.join('')
      answers = []
    }
    if (answer !== undefined) continue
    const line = parse(number, raw)
    batch.push({ ...line, checkpoint: ledger.checkpoint() })
    misshapen = isMisshapen(line) ? misshapen + 1 : 0
    if (misshapen === MAX_MISSHAPEN) {
      yield batch
      throw tooManyMisshapen(line)
    }
    bytes += 'bytes' in raw ? raw.bytes.length : 0
    if (batch.length < BATCH && bytes < BATCH_BYTES) continue
    yield batch
    batch = []
    bytes = 0
  }
  if (answers.length > 0) yield answers.join('')
  if (batch.length > 0) yield batch
}

/** Whether a line is no record, or one without anything to search by. */
function isMisshapen(line: Line): boolean {
  return 'error' in line || !(line.record.text !== undefined || line.record.image || line.record.embeddings)
}

function tooManyMisshapen(line: Line): Error {
  const fault =
    'error' in line
      ? toErrorShape(line.error).message
      : 'The record has no image, text or embeddings; send at least one of them.'
  return new InvalidRequest(
    `${MAX_MISSHAPEN} consecutive lines up to line ${line.line} are not valid records, so the load ` +
      `ends here. The last error: ${fault} Correct the lines, and send the load again.`
  )
}

/** Encodes a batch once the encoder has capacity: a bulk load waits while the queue is full. */
async function prepareWhenFree(
  target: Target,
  batch: Part,
  callOptions: BulkStream['callOptions']
): Promise<(RecordWrite | Faulty)[]> {
  const records = batch.map((line) => ('record' in line ? line.record : { id: '', error: line.error }))
  return retryWhileFull(callOptions, async () => {
    // Loads are admitted in turn, whatever comes in the meantime.
    if (target.collection.settings.model !== null) await encoderOf(target).waitForCapacity(callOptions)
    return prepareRecords(target, records, callOptions)
  })
}

function retryWhileFull<T>({ signal }: BulkStream['callOptions'], work: () => Promise<T>): Promise<T> {
  return retry(work, { signal, ...WHILE_FULL })
}

/** How many images of one bulk load are fetched ahead of those that are encoded. */
const AHEAD = 16

/** Bytes of fetched images after which a part of a batch continues its way. */
const PART_BYTES = 8 << 20

/**
 * Fetches the images of a batch that are named by url, and gives the batch on in parts that are not heavy:
 * lines are short where images are not. A record whose image does not come turns faulty. Throws what ends the
 * whole load.
 */
async function* fetchImages<Extra extends object>(
  batch: (Line & Extra)[],
  load: LoadRecord
): AsyncGenerator<(Line<NewRecord | Faulty> & Extra)[]> {
  const started: Promise<NewRecord | Faulty>[] = []
  let part: (Line<NewRecord | Faulty> & Extra)[] = []
  let bytes = 0
  for (const [i, line] of batch.entries()) {
    for (let ahead = started.length; ahead < Math.min(batch.length, i + AHEAD); ahead++) {
      const next = batch[ahead]
      const fetched = 'record' in next ? load(next.record) : Promise.resolve({ id: '', error: undefined })
      // Its error shows when its turn comes, which it may not.
      fetched.catch(() => {})
      started.push(fetched)
    }
    const record = await started[i]
    part.push('record' in line ? { ...line, record } : line)
    if (!('record' in line) || line.record.image instanceof Uint8Array) continue
    bytes += 'image' in record ? (record.image?.length ?? 0) : 0
    if (bytes < PART_BYTES) continue
    yield part
    part = []
    bytes = 0
  }
  if (part.length > 0) yield part
}

/** How far a load is. */
interface LoadProgress {
  /** The last line that is answered for good. */
  done: number
  /** The key of a load that can be resumed. */
  key?: string
}

/**
 * What is wrong by code, where the words of the error itself are of requests that are stored whole or not at
 * all.
 */
const DISK_ERRORS: Record<string, string> = {
  STORAGE_FULL: 'There is not enough disk space',
  STORAGE_UNWRITABLE: "The data folder can't be written to"
}

/** Whether a load that ended with an error, other than of the disk, can be resumed as it is. */
function isResumable(error: Error & ErrorShape): boolean {
  return isTransient(error) || error.code === 'CLOSED' || error.code === 'DEADLINE_EXCEEDED'
}

/** The error that ends a load, saying how far the load is and how to resume it where that is of use. */
function stoppedLoad(error: unknown, { done, key }: LoadProgress): unknown {
  if (!isPublicError(error) || !(error.code in DISK_ERRORS || isResumable(error))) return error
  const { code, statusCode, stack, cause } = error
  const next = done + 1
  const resume =
    key === undefined
      ? `send the lines from ${next} on`
      : `send the same lines again with this Idempotency-Key, or only those from ${next} on with ` +
        `from_line=${next}`
  const soFar =
    done === 0
      ? 'No line was processed'
      : `Lines 1 to ${done} were processed (stored, or failed on their own)`
  const message =
    code in DISK_ERRORS
      ? `${DISK_ERRORS[code]}. ${soFar}; later lines were not. Once the disk can be written to again, ` +
        `${resume}.`
      : `${error.message} ${soFar}; later lines may also be stored. To resume the load, ${resume}.`
  return Object.assign(new Error(message), { code, statusCode, stack, cause })
}
