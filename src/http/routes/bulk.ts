import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Collection } from '../../collections/collection.js'
import { MIB } from '../../config.js'
import { BulkLoadNotFound, BulkLoadRunning, toErrorShape } from '../../errors.js'
import { OwnCollectionName, OwnCollectionParams, responses } from '../schemas.js'
import { answerLines, type BulkStream } from './bulk-answers.js'
import { lineParser } from './bulk-line.js'
import { imageBodyLimit } from './image-body.js'
import { imageLoader } from './load-images.js'
import { recordLoader } from './load-record.js'
import { LineLedger } from './line-ledger.js'
import { readLines, untilAborted } from './lines.js'
import type { App, Services } from './services.js'

const tags = ['Records']

const BulkKey = Type.String({
  pattern: '^[\\u0020-\\u007e]{1,255}$',
  description: 'Identifies one load of one body: 1 to 255 printable ASCII characters.',
  examples: ['pets-2030-01-31']
})

/** Records of any number, a line of JSON each; answers a line each as they are written. */
export function bulkRoutes(app: App, services: Services): void {
  const { config, encoders, collections, metrics } = services
  const maxImageBytes = config.MAX_IMAGE_MIB * MIB
  const lineLimit = { maxBytes: imageBodyLimit(maxImageBytes) + (1 << 20) }
  const take = takeKeys()
  app.addContentTypeParser('application/x-ndjson', (_, payload, done) => done(null, payload))
  app.post(
    '/v1/collections/:collection/records/bulk',
    {
      schema: {
        tags,
        operationId: 'bulkRecords',
        summary: 'Add or replace any number of records',
        description:
          'NDJSON in both directions: each line is a record as in the plain call, and is answered by a ' +
          'line `{"line", "id", "status", "error"?}` in the same order. Answers arrive while lines are ' +
          'still sent, so read while you write: unread answers slow down the upload. After 1,000 ' +
          'consecutive lines that are not valid records, the load ends with an error line. With an ' +
          '`Idempotency-Key`, an interrupted load can be resumed by sending the same lines again: ' +
          'lines that were already answered are reported as `skipped`, or again as `failed`, without ' +
          'being processed. Keys are kept for 7 days after the last batch.',
        params: OwnCollectionParams,
        headers: Type.Object({ 'idempotency-key': Type.Optional(BulkKey) }),
        querystring: Type.Object(
          {
            from_line: Type.Optional(
              Type.Integer({
                minimum: 1,
                maximum: Number.MAX_SAFE_INTEGER,
                default: 1,
                description:
                  'Number of the first line in this request, for clients that leave out lines that ' +
                  'were already loaded.'
              })
            )
          },
          { additionalProperties: false }
        ),
        consumes: ['application/x-ndjson'],
        produces: ['application/x-ndjson'],
        body: {
          content: {
            'application/x-ndjson': {
              schema: {
                type: 'object',
                format: 'binary',
                example: '{"id": "greeting", "text": "a dog says hello"}\n'
              }
            }
          }
        },
        response: {
          200: {
            description: 'One record per line.',
            content: { 'application/x-ndjson': { schema: { type: 'string' } } }
          },
          ...responses({})
        }
      },
      bodyLimit: Number.MAX_SAFE_INTEGER,
      config: { streams: true }
    },
    async (request, typedReply) => {
      const {
        params,
        body,
        query: { from_line: firstLine = 1 },
        headers: { 'idempotency-key': key },
        callOptions
      } = request
      const reply: FastifyReply = typedReply
      const collection = await collections.get(params.collection)
      const release = key === undefined ? () => undefined : take(collection, key)
      try {
        const ledger = new LineLedger({
          firstLine,
          ...(key !== undefined && {
            resumed: { load: await collection.bulkLoad(key), failed: await collection.failedLines(key) }
          })
        })
        // If the client has left by now, nothing else would release the key.
        callOptions.signal.throwIfAborted()
        const answers = endWithError(
          answerLines({
            lines: untilAborted(readLines(body as unknown as Readable, lineLimit), callOptions.signal),
            ledger,
            parse: lineParser(app, { maxImageBytes, key }),
            loadRecord: recordLoader({
              load: imageLoader(services, request, { lane: 'bulk', totalBytes: Infinity, waits: true }),
              collection,
              images: services.images,
              callOptions
            }),
            target: { encoders, collection, onStep: request.onStep },
            callOptions,
            key,
            onResult: resultCounter(metrics, request)
          }),
          { request, release }
        )
        // Another stream may continue from where this one's last batch ends, not before.
        reply.raw.once('close', () => void answers.return(undefined).finally(release))
        return reply.type('application/x-ndjson').send(Readable.from(answers, { objectMode: false }))
      } catch (error) {
        release()
        throw error
      }
    }
  )
}

/** How far a load under a key is. */
export function bulkLoadRoute(app: App, { collections }: Services): void {
  const time = Type.String({ format: 'date-time' })
  app.get(
    '/v1/collections/:collection/bulk/:key',
    {
      schema: {
        tags,
        operationId: 'getBulkLoad',
        summary: 'Show the progress of a bulk load',
        description:
          'Looks up the load by its Idempotency-Key. A client that sends only the remaining lines ' +
          'continues with `from_line` set to `lines` + 1.',
        params: Type.Object({ collection: OwnCollectionName, key: BulkKey }),
        response: responses({
          200: Type.Object({
            key: Type.String(),
            lines: Type.Integer({ description: 'Lines with a final answer: written or failed.' }),
            created: Type.Integer(),
            updated: Type.Integer(),
            failed: Type.Integer(),
            completed: Type.Boolean({ description: 'Whether the last stream was read to its end.' }),
            updated_at: time,
            failures: Type.Array(
              Type.Object({
                line: Type.Integer(),
                id: Type.Union([Type.String(), Type.Null()]),
                error: Type.Object({ code: Type.String(), message: Type.String() })
              }),
              { description: 'The first 1,000 failed lines.' }
            )
          })
        })
      }
    },
    async ({ params: { collection: name, key } }) => {
      const collection = await collections.get(name)
      const load = await collection.bulkLoad(key)
      if (!load) throw new BulkLoadNotFound(name, key)
      const { lines, created, updated, failed, completed, updatedAt } = load
      const failures = (await collection.failedLines(key)).map(({ body }) => JSON.parse(body))
      return {
        key,
        lines,
        created,
        updated,
        failed,
        completed,
        updated_at: new Date(updatedAt).toISOString(),
        failures
      }
    }
  )
}

/** A function that counts what became of a line, for the metrics and the audit log. */
function resultCounter(
  metrics: Services['metrics'],
  request: Pick<FastifyRequest, 'countChanges'>
): BulkStream['onResult'] {
  return (status) => {
    metrics.countRecords(status, 1)
    request.countChanges(status)
  }
}

/**
 * A function that takes a key of a collection for one stream and returns what gives it back. Throws
 * BULK_LOAD_RUNNING.
 */
function takeKeys(): (collection: Collection, key: string) => () => void {
  const taken = new Set<string>()
  return ({ settings: { id } }, key) => {
    const name = `${id} ${key}`
    if (taken.has(name)) throw new BulkLoadRunning(key)
    taken.add(name)
    let isHeld = true
    return () => {
      // Again is nothing: the key may be another stream's by then.
      if (isHeld) taken.delete(name)
      isHeld = false
    }
  }
}

/** The status is sent by the time that a fault of the whole shows; it becomes the last line. */
async function* endWithError(
  lines: AsyncGenerator<string>,
  { request: { id, log }, release }: { request: Pick<FastifyRequest, 'id' | 'log'>; release: () => void }
): AsyncGenerator<string> {
  try {
    yield* lines
  } catch (error) {
    const { code, message, statusCode } = toErrorShape(error)
    if (statusCode >= 500) log.error({ err: error, code }, 'bulk failed')
    yield JSON.stringify({ error: { code, message, request_id: id } }) + '\n'
  } finally {
    release()
  }
}
