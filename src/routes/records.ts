import { randomUUID } from 'node:crypto'
import { open } from 'node:fs/promises'
import type { FastifyReply } from 'fastify'
import { Type, type Static } from 'typebox'
import { ImageNotKept, InvalidRequest, RecordNotFound } from '../errors.js'
import { ingest } from '../ingest.js'
import { CollectionParams, FormImage, JsonImage, Metadata, RecordBody, RecordId, RecordParams, responses, type ImageBody } from '../schemas.js'
import { formBody, parseField, type Form } from './form.js'
import { imageBytes } from './image-body.js'
import { toRecordBody } from './record-body.js'
import type { App, Services } from './services.js'

const content = {
  id: Type.Optional(RecordId),
  text: Type.Optional(Type.String({ description: 'Up to 8,000 characters; the model reads the first of them.' })),
  metadata: Type.Optional(Metadata)
}
const recordsOf = <Image extends typeof JsonImage | typeof FormImage>(image: Image) =>
  Type.Object(
    { records: Type.Array(Type.Object({ ...content, image: Type.Optional(image) }, { additionalProperties: false }), { minItems: 1, maxItems: 256 }) },
    { additionalProperties: false }
  )

const JsonBody = Type.Object(recordsOf(JsonImage).properties, {
  additionalProperties: false,
  examples: [{ records: [{ id: 'greeting', text: 'a dog says hello', metadata: { mood: 'glad' } }] }]
})
type Body = Static<typeof JsonBody> | Static<ReturnType<typeof recordsOf<typeof FormImage>>>

const Result = Type.Object({
  id: Type.String(),
  status: Type.Enum(['created', 'updated', 'failed']),
  error: Type.Optional(Type.Object({ code: Type.String(), message: Type.String() }))
})

const tags = ['Records']

/** Adding, reading and removing records. */
export function recordRoutes(app: App, { config, encoder, collections }: Services): void {
  const maxImageBytes = config.MAX_IMAGE_MIB << 20
  const bodyLimit = config.MAX_RECORDS_BODY_MIB << 20
  app.post(
    '/v1/collections/:collection/records',
    {
      bodyLimit,
      schema: {
        tags,
        summary: 'Add or replace records',
        description:
          'Up to 256 records, each with an image, a text or both. Every record gets a status of its own, in the order sent; one that fails leaves the others be. ' +
          'As a form: a file part `image` for each record, and `id`, `text`, `metadata` (JSON) as often as the images, in their order, or not at all; without images, one record of text.',
        params: CollectionParams,
        body: { content: { 'application/json': { schema: JsonBody }, 'multipart/form-data': { schema: recordsOf(FormImage) } } },
        response: responses({ 200: Type.Object({ results: Type.Array(Result) }) })
      },
      preValidation: formBody({ fileBytes: maxImageBytes, totalBytes: bodyLimit }, recordsFromForm)
    },
    async (request) => {
      const collection = collections.get(request.params.collection)
      const records = (request.body as Body).records.map(({ id = randomUUID(), image, ...rest }) => {
        try {
          return { id, ...rest, ...(image && { image: imageBytes(image as ImageBody, maxImageBytes) }) }
        } catch (error) {
          return { id, error }
        }
      })
      return { results: await ingest({ encoder, collection }, records, request.gone) }
    }
  )
  app.get(
    '/v1/collections/:collection/records/:id',
    { schema: { tags, summary: 'Show a record', params: RecordParams, response: responses({ 200: RecordBody }) } },
    async ({ params }) => {
      const record = await collections.get(params.collection).get(params.id)
      if (!record) throw new RecordNotFound(params.collection, params.id)
      return toRecordBody(params.collection, record)
    }
  )
  app.delete(
    '/v1/collections/:collection/records/:id',
    { schema: { tags, summary: 'Delete a record', params: RecordParams, response: responses({ 204: Type.Null() }) } },
    async ({ params }, reply) => {
      const [{ existed }] = await collections.get(params.collection).delete([params.id])
      if (!existed) throw new RecordNotFound(params.collection, params.id)
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
        summary: "Fetch a record's image",
        description: 'As it was sent, or as a WebP thumbnail, by the `storage` of the collection.',
        params: RecordParams,
        response: { 200: { description: 'The image.', content: { 'image/*': { schema: { type: 'string', format: 'binary' } } } }, ...responses({}) }
      }
    },
    async ({ params, headers }, typedReply) => {
      const reply: FastifyReply = typedReply
      const collection = collections.get(params.collection)
      const record = await collection.get(params.id)
      if (!record) throw new RecordNotFound(params.collection, params.id)
      if (!record.image) throw new ImageNotKept(params.id)
      const etag = `"${record.image.sha256}"`
      reply.headers({ etag, 'cache-control': 'private, no-cache', 'content-security-policy': "default-src 'none'; sandbox", 'content-disposition': 'inline' })
      if (headers['if-none-match'] === etag) return reply.code(304).send()
      const file = await open(collection.imagePath(record.image.sha256)).catch(() => undefined)
      if (!file) throw new ImageNotKept(params.id)
      return reply.type(record.image.type).send(file.createReadStream())
    }
  )
}

/** Fields of a form pair up with its images by order. */
function recordsFromForm({ fields, images }: Form): unknown {
  const count = Math.max(images.length, 1)
  const columns = [...fields].map(([name, values]) => {
    if (values.length !== count) throw new InvalidRequest(`The form field '${name}' is there ${values.length} times, for ${count} records.`)
    return values.map((value) => [name, name === 'metadata' ? parseField(name, value) : value])
  })
  return {
    records: Array.from({ length: count }, (_, i) => ({
      ...Object.fromEntries(columns.map((column) => column[i])),
      ...(images[i] && { image: images[i] })
    }))
  }
}
