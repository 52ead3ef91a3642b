import { randomUUID } from 'node:crypto'
import { open } from 'node:fs/promises'
import type { FastifyReply } from 'fastify'
import { Type, type Static, type TSchema } from 'typebox'
import { MIB } from '../config.js'
import { amend } from '../amend.js'
import { ImageNotKept, InvalidRequest, RecordNotFound } from '../errors.js'
import { ingest } from '../ingest.js'
import { CollectionParams, Embeddings, EXAMPLE_IMAGE, FormImage, JsonImage, JsonRecord, Metadata, RecordBody, RecordId, RecordParams, RecordText, responses, type ImageBody } from '../schemas.js'
import { formBody, parseField, type Form } from './form.js'
import { imageBodyLimit, imageBytes } from './image-body.js'
import { toRecordBody } from './record-body.js'
import type { App, Services } from './services.js'

const MAX_RECORDS = 256

const JsonBody = Type.Object(
  { records: Type.Array(JsonRecord, { minItems: 1, maxItems: MAX_RECORDS }) },
  { additionalProperties: false, examples: [{ records: [{ id: 'apple', text: 'a red apple', image: EXAMPLE_IMAGE, metadata: { kind: 'fruit' } }] }] }
)

const nullable = <S extends TSchema>(schema: S) => Type.Optional(Type.Union([schema, Type.Null()]))
const PatchBody = Type.Object(
  { text: nullable(RecordText), metadata: nullable(Metadata), image: nullable(JsonImage), embeddings: Type.Optional(Embeddings) },
  { additionalProperties: false, minProperties: 1, examples: [{ metadata: { seen: true } }] }
)

const column = <S extends TSchema>(item: S) => Type.Optional(Type.Array(item, { minItems: 1, maxItems: MAX_RECORDS }))
const FormRecords = Type.Object(
  { image: column(FormImage), id: column(RecordId), text: column(RecordText), metadata: column(Metadata) },
  { additionalProperties: false, minProperties: 1, description: 'Repeated fields pair up by their order; one that is given is given for every record.' }
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
export function recordRoutes(app: App, { config, encoders, collections, metrics }: Services): void {
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
          'As a form: parts `image` (files), `id`, `text`, `metadata` (JSON), each as often as there are records.',
        params: CollectionParams,
        body: { content: { 'application/json': { schema: JsonBody }, 'multipart/form-data': { schema: FormRecords } } },
        response: responses({ 200: Type.Object({ results: Type.Array(Result) }) })
      },
      preValidation: formBody({ fileBytes: maxImageBytes, totalBytes: bodyLimit }, toColumns)
    },
    async (request) => {
      const collection = collections.get(request.params.collection)
      const body = request.body as Static<typeof JsonBody> | Column
      const sent: SentRecord[] = 'records' in body ? body.records : toRecords(body)
      const records = sent.map(({ id = randomUUID(), image, ...rest }) => {
        try {
          return { id, ...rest, ...(image && { image: imageBytes(image, maxImageBytes) }) }
        } catch (error) {
          return { id, error }
        }
      })
      const results = await ingest({ encoders, collection }, records, request.gone)
      for (const { status } of results) metrics.countRecords(status, 1)
      return { results }
    }
  )
}

/** Reading, changing and deleting one record. */
export function singleRecordRoutes(app: App, { config, encoders, collections }: Services): void {
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
        params: RecordParams,
        body: PatchBody,
        response: responses({ 200: RecordBody })
      }
    },
    async ({ params, body: { image, ...rest }, gone }) => {
      const collection = collections.get(params.collection)
      await amend({ encoders, collection }, { id: params.id, ...rest, ...(image !== undefined && { image: image && imageBytes(image, maxImageBytes) }) }, gone)
      return toRecordBody(params.collection, (await collection.get(params.id)) ?? notFound(params))
    }
  )
  app.get(
    '/v1/collections/:collection/records/:id',
    { schema: { tags, operationId: 'getRecord', summary: 'Show a record', params: RecordParams, response: responses({ 200: RecordBody }) } },
    async ({ params }) => {
      const record = await collections.get(params.collection).get(params.id)
      return toRecordBody(params.collection, record ?? notFound(params))
    }
  )
  app.delete(
    '/v1/collections/:collection/records/:id',
    { schema: { tags, operationId: 'deleteRecord', summary: 'Delete a record', params: RecordParams, response: responses({ 204: Type.Null() }) } },
    async ({ params }, reply) => {
      const [{ existed }] = await collections.get(params.collection).delete([params.id])
      if (!existed) notFound(params)
      return reply.code(204).send(null)
    }
  )
}

/** The kept image of a record, with its digest as ETag. */
export function imageRoute(app: App, { collections }: Services): void {
  app.get(
    '/v1/collections/:collection/records/:id/image',
    {
      schema: {
        tags,
        operationId: 'getRecordImage',
        summary: "Fetch a record's image",
        description: 'As it was sent, or as a WebP thumbnail, by the `storage` of the collection.',
        params: RecordParams,
        response: { 200: { description: 'The image.', content: { 'image/*': { schema: { type: 'string', format: 'binary' } } } }, ...responses({}) }
      }
    },
    async ({ params, headers }, typedReply) => {
      const reply: FastifyReply = typedReply
      const collection = collections.get(params.collection)
      const record = (await collection.get(params.id)) ?? notFound(params)
      if (!record.image) throw new ImageNotKept(params.id)
      const etag = `"${record.image.sha256}"`
      reply.headers({ etag, 'cache-control': 'private, no-cache', 'content-security-policy': "default-src 'none'; sandbox", 'content-disposition': 'inline' })
      if (isKnown(headers['if-none-match'], etag)) return reply.code(304).send()
      const file = await open(collection.imagePath(record.image.sha256)).catch(() => undefined)
      if (!file) throw new ImageNotKept(params.id)
      return reply.type(record.image.type).send(file.createReadStream())
    }
  )
}

/** Whether an If-None-Match header has an ETag, among others or weakened by a proxy. */
function isKnown(header: string | undefined, etag: string): boolean {
  return header !== undefined && header.split(',').some((part) => ['*', etag].includes(part.trim().replace(/^W\//, '')))
}

function notFound({ collection, id }: { collection: string; id: string }): never {
  throw new RecordNotFound(collection, id)
}

/** The fields of a form as columns of values. */
function toColumns({ fields, images }: Form): unknown {
  const columns = [...fields].map(([name, values]) => [name, name === 'metadata' ? values.map((value) => parseField(name, value)) : values])
  return { ...Object.fromEntries(columns), ...(images.length > 0 && { image: images }) }
}

/** The records that columns make, row by row. Throws INVALID_REQUEST when one is shorter than another. */
function toRecords(columns: Column): SentRecord[] {
  const entries = Object.entries(columns)
  const count = Math.max(...entries.map(([, values]) => values.length))
  const short = entries.find(([, values]) => values.length !== count)
  if (short) throw new InvalidRequest(`The form field '${short[0]}' is there ${short[1].length} times, for ${count} records.`)
  return Array.from({ length: count }, (_, row) => Object.fromEntries(entries.map(([name, values]) => [name, values[row]])))
}
