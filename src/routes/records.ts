import { randomUUID } from 'node:crypto'
import { Type, type Static, type TSchema } from 'typebox'
import { MIB } from '../config.js'
import { amend } from '../amend.js'
import { InvalidRequest, RecordNotFound } from '../errors.js'
import { ingest, stopsAll } from '../ingest.js'
import { Embeddings, EXAMPLE_IMAGE, ExpiresAt, FormImage, JsonImage, JsonRecord, Metadata, OwnCollectionParams, OwnRecordParams, RecordBody, RecordId, RecordParams, RecordText, responses, TtlSeconds, type ImageBody } from '../schemas.js'
import { takeExpiry } from './expiry.js'
import { formBody, parseField, type Form } from './form.js'
import { imageBodyLimit } from './image-body.js'
import { imageLoader } from './load-images.js'
import { toRecordBody } from './record-body.js'
import type { App, Services } from './services.js'

const MAX_RECORDS = 256

const JsonBody = Type.Object(
  { records: Type.Array(JsonRecord, { minItems: 1, maxItems: MAX_RECORDS }) },
  { additionalProperties: false, examples: [{ records: [{ id: 'apple', text: 'a red apple', image: EXAMPLE_IMAGE, metadata: { kind: 'fruit' } }] }] }
)

const nullable = <S extends TSchema>(schema: S) => Type.Optional(Type.Union([schema, Type.Null()]))
const PatchBody = Type.Object(
  { text: nullable(RecordText), metadata: nullable(Metadata), image: nullable(JsonImage), embeddings: Type.Optional(Embeddings), ttl_seconds: nullable(TtlSeconds), expires_at: nullable(ExpiresAt) },
  { additionalProperties: false, minProperties: 1, examples: [{ metadata: { seen: true } }] }
)

const column = <S extends TSchema>(item: S) => Type.Optional(Type.Array(item, { minItems: 1, maxItems: MAX_RECORDS }))
const FormRecords = Type.Object(
  { image: column(FormImage), id: column(RecordId), text: column(RecordText), metadata: column(Metadata), ttl_seconds: column(TtlSeconds), expires_at: column(ExpiresAt) },
  { additionalProperties: false, minProperties: 1, description: 'Repeated fields pair up by their order; one that is given is given for every record.', examples: [{ id: ['apple'], text: ['a red apple'], metadata: [{ kind: 'fruit' }] }] }
)

type Column = Static<typeof FormRecords>
type SentRecord = Omit<Static<typeof JsonRecord>, 'image'> & { image?: ImageBody }

const Result = Type.Object({
  id: Type.String(),
  status: Type.Enum(['created', 'updated', 'failed']),
  error: Type.Optional(Type.Object({ code: Type.String(), message: Type.String() }))
})

const tags = ['Records']

/** Adding records, or replacing them. */
export function recordRoutes(app: App, services: Services): void {
  const { config, encoders, collections, metrics } = services
  const maxImageBytes = config.MAX_IMAGE_MIB * MIB
  const bodyLimit = config.MAX_RECORDS_BODY_MIB * MIB
  app.post(
    '/v1/collections/:collection/records',
    {
      bodyLimit,
      schema: {
        tags,
        operationId: 'upsertRecords',
        summary: 'Add or replace records',
        description:
          'Up to 256 records, each with an image, a text or both. Every record gets a status of its own, in the order sent; one that fails leaves the others be. ' +
          'As a form: parts `image` (files), `id`, `text`, `metadata` (JSON), `ttl_seconds`, `expires_at`, each as often as there are records.',
        params: OwnCollectionParams,
        body: { content: { 'application/json': { schema: JsonBody }, 'multipart/form-data': { schema: FormRecords } } },
        response: responses({ 200: Type.Object({ results: Type.Array(Result) }) })
      },
      preValidation: formBody({ fileBytes: maxImageBytes, totalBytes: bodyLimit }, toColumns)
    },
    async (request) => {
      const collection = collections.get(request.params.collection)
      const body = request.body as Static<typeof JsonBody> | Column
      const sent: SentRecord[] = 'records' in body ? body.records : toRecords(body)
      const load = imageLoader(services, request, { lane: 'bulk', totalBytes: bodyLimit })
      const records = await Promise.all(
        sent.map(async ({ id = randomUUID(), image, ...rest }) => {
          try {
            return { id, ...takeExpiry(rest), ...(image && { image: await load(image) }) }
          } catch (error) {
            if (stopsAll(error)) throw error
            return { id, error }
          }
        })
      )
      const results = await ingest({ encoders, collection, onStep: request.onStep }, records, request.patience)
      for (const { status } of results) {
        metrics.countRecords(status, 1)
        request.countChanges(status)
      }
      return { results }
    }
  )
}

/** Reading, changing and deleting one record. */
export function singleRecordRoutes(app: App, services: Services): void {
  const { config, encoders, collections } = services
  const maxImageBytes = config.MAX_IMAGE_MIB * MIB
  app.patch(
    '/v1/collections/:collection/records/:id',
    {
      bodyLimit: imageBodyLimit(maxImageBytes),
      schema: {
        tags,
        operationId: 'patchRecord',
        summary: 'Change parts of a record',
        description: 'What is not named stays; null removes. Metadata is merged (RFC 7396). A new text or image is encoded anew.',
        params: OwnRecordParams,
        body: PatchBody,
        response: responses({ 200: RecordBody })
      }
    },
    async (request) => {
      const { params, body: { image, ...rest }, patience, onStep } = request
      const collection = collections.get(params.collection)
      const load = imageLoader(services, request, { lane: 'interactive', totalBytes: maxImageBytes })
      await amend({ encoders, collection, onStep }, { id: params.id, ...takeExpiry(rest), ...(image !== undefined && { image: image && (await load(image)) }) }, patience)
      request.countChanges('updated')
      // What is done is not refused for a queue that is full by now.
      return toRecordBody(params.collection, (await collection.get(params.id)) ?? notFound(params))
    }
  )
  app.get(
    '/v1/collections/:collection/records/:id',
    { schema: { tags, operationId: 'getRecord', summary: 'Show a record', params: RecordParams, response: responses({ 200: RecordBody }) } },
    async ({ params, patience }) => {
      const record = await collections.get(params.collection).get(params.id, patience)
      return toRecordBody(params.collection, record ?? notFound(params))
    }
  )
  app.delete(
    '/v1/collections/:collection/records/:id',
    { schema: { tags, operationId: 'deleteRecord', summary: 'Delete a record', params: OwnRecordParams, response: responses({ 204: Type.Null() }) } },
    async (request, reply) => {
      const { params, patience } = request
      const [{ existed }] = await collections.get(params.collection).delete([params.id], {}, patience)
      if (!existed) notFound(params)
      request.countChanges('deleted')
      return reply.code(204).send(null)
    }
  )
}

function notFound({ collection, id }: { collection: string; id: string }): never {
  throw new RecordNotFound(collection, id)
}

/** The fields of a form as columns of values. */
function toColumns({ fields, images }: Form): unknown {
  const columns = [...fields].map(([name, values]) => [name, name === 'metadata' || name === 'ttl_seconds' ? values.map((value) => parseField(name, value)) : values])
  const chosen = images.filter((image) => image !== undefined)
  return { ...Object.fromEntries(columns), ...(chosen.length > 0 && { image: chosen }) }
}

/** The records that columns make, row by row. Throws INVALID_REQUEST when one is shorter than another. */
function toRecords(columns: Column): SentRecord[] {
  const entries = Object.entries(columns)
  const count = Math.max(...entries.map(([, values]) => values.length))
  const short = entries.find(([, values]) => values.length !== count)
  if (short) throw new InvalidRequest(`The form field '${short[0]}' is there ${short[1].length} times, for ${count} records.`)
  return Array.from({ length: count }, (_, row) => Object.fromEntries(entries.map(([name, values]) => [name, values[row]])))
}
