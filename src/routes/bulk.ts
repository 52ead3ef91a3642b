import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { MIB } from '../config.js'
import { InvalidRequest, isPublicError, toErrorShape } from '../errors.js'
import { ingest, type IngestResult, type NewRecord } from '../ingest.js'
import type { Target } from '../record-parts.js'
import { CollectionParams, JsonRecord, responses } from '../schemas.js'
import { imageBodyLimit, imageBytes } from './image-body.js'
import { readLines } from './lines.js'
import type { App, Services } from './services.js'

/** Records that are encoded and committed together. */
const BATCH = 64
/** Bytes of lines after which a batch goes on its way before it is full. */
const BATCH_BYTES = 8 << 20
/** How long a batch waits before it tries a full queue again, in milliseconds. */
const RETRY_MS = 200

type Line = { line: number; record: NewRecord } | { line: number; id: null; error: unknown }

/** Records of any number, a line of JSON each; answers a line each as they are written. */
export function bulkRoutes(app: App, { config, encoders, collections, metrics }: Services): void {
  const maxImageBytes = config.MAX_IMAGE_MIB * MIB
  app.addContentTypeParser('application/x-ndjson', (_, payload, done) => done(null, payload))
  app.post(
    '/v1/collections/:collection/records/bulk',
    {
      schema: {
        tags: ['Records'],
        operationId: 'bulkRecords',
        summary: 'Add or replace any number of records',
        description:
          'NDJSON in and out: a line for each record as in the plain call, answered by a line `{"line", "id", "status", "error"?}` in the same order. ' +
          'Answers come while lines are still sent, so read while you write: what is not read holds back what is taken in.',
        params: CollectionParams,
        consumes: ['application/x-ndjson'],
        produces: ['application/x-ndjson'],
        body: { content: { 'application/x-ndjson': { schema: { type: 'object', format: 'binary', example: '{"id": "greeting", "text": "a dog says hello"}\n' } } } },
        response: { 200: { description: 'A line a record.', content: { 'application/x-ndjson': { schema: { type: 'string' } } } }, ...responses({}) }
      },
      bodyLimit: Number.MAX_SAFE_INTEGER
    },
    async (request, typedReply) => {
      const { params, body, gone } = request
      const reply: FastifyReply = typedReply
      const target: Target = { encoders, collection: collections.get(params.collection) }
      const validate = app.validatorCompiler!({ schema: JsonRecord, method: 'POST', url: '', httpPart: 'body' })
      const parse = (line: number, text: string): Line => {
        try {
          const record = parseLine(text)
          const valid = validate(record)
          if (valid !== true) throw new InvalidRequest(describeFault(validate))
          const { id = randomUUID(), image, ...rest } = record
          return { line, record: { id, ...rest, ...(image && { image: imageBytes(image, maxImageBytes) }) } }
        } catch (error) {
          return { line, id: null, error }
        }
      }
      async function* results(): AsyncGenerator<string> {
        for await (const batch of batches(readLines(body as Readable, { maxBytes: imageBodyLimit(maxImageBytes) + (1 << 20) }), parse)) {
          const outcomes = await ingestPatiently(target, batch, gone)
          for (const { status } of outcomes) metrics.countRecords(status, 1)
          yield outcomes.map((outcome, i) => JSON.stringify({ line: batch[i].line, ...outcome }) + '\n').join('')
        }
      }
      return reply.type('application/x-ndjson').send(Readable.from(endWithError(results(), request), { objectMode: false }))
    }
  )
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any
function parseLine(text: string): any {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new InvalidRequest(`The line is not JSON: ${(error as Error).message}`)
  }
}

function describeFault(validate: unknown): string {
  const [fault] = (validate as { errors?: { instancePath: string; message?: string }[] }).errors ?? []
  return `record${fault?.instancePath ?? ''} ${fault?.message ?? 'is not valid'}`
}

/** Groups lines into batches that are neither long nor heavy. */
async function* batches(lines: AsyncIterable<{ text: string } | { error: unknown }>, parse: (line: number, text: string) => Line): AsyncGenerator<Line[]> {
  let batch: Line[] = []
  let [number, bytes] = [0, 0]
  for await (const line of lines) {
    number++
    if ('text' in line && line.text.trim() === '') continue
    batch.push('text' in line ? parse(number, line.text) : { line: number, id: null, error: line.error })
    bytes += 'text' in line ? line.text.length : 0
    if (batch.length < BATCH && bytes < BATCH_BYTES) continue
    yield batch
    batch = []
    bytes = 0
  }
  if (batch.length > 0) yield batch
}

/** Ingests a batch, and waits where the queue is full: a bulk load gives way, it does not fail. */
async function ingestPatiently(target: Target, batch: Line[], signal: AbortSignal): Promise<(IngestResult | { id: null; status: 'failed'; error: object })[]> {
  const records = batch.map((line) => ('record' in line ? line.record : { id: '', error: line.error }))
  for (;;) {
    try {
      const results = await ingest(target, records, signal)
      return results.map((result, i) => ('error' in batch[i] && result.status === 'failed' ? { ...result, id: null } : result))
    } catch (error) {
      if (!isPublicError(error) || error.code !== 'QUEUE_FULL') throw error
      await sleep(RETRY_MS, undefined, { signal })
    }
  }
}

/** The status is sent by the time that a fault of the whole shows; it becomes the last line. */
async function* endWithError(lines: AsyncGenerator<string>, { id, log }: Pick<FastifyRequest, 'id' | 'log'>): AsyncGenerator<string> {
  try {
    yield* lines
  } catch (error) {
    const { code, message, statusCode } = toErrorShape(error)
    if (statusCode >= 500) log.error({ err: error, code }, 'bulk failed')
    yield JSON.stringify({ error: { code, message, request_id: id } }) + '\n'
  }
}
