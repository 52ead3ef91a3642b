import { randomUUID } from 'node:crypto'
import { Type, type Static, type TSchema } from 'typebox'
import { MIB } from '../../config.js'
import { patchRecord } from '../../records/patch.js'
import { RecordNotFound } from '../../errors.js'
import { ingest } from '../../records/ingest.js'
import {
  Embeddings,
  EXAMPLE_IMAGE,
  ExpiresAt,
  FormImage,
  JsonImage,
  JsonRecord,
  Metadata,
  OwnCollectionParams,
  OwnRecordParams,
  RecordBody,
  RecordId,
  RecordParams,
  RecordText,
  responses,
  TtlSeconds
} from '../schemas.js'
import { takeExpiry } from './expiry.js'
import { formBody } from './form.js'
import { formRecords } from './form-records.js'
import { imageBodyLimit } from './image-body.js'
import { imageLoader } from './load-images.js'
import { recordLoader } from './load-record.js'
import { toRecordBody } from './record-body.js'
import { recordChecker } from './sent-record.js'
import type { App, Services } from './services.js'
import { mapYielding } from '../../threading/yield-to-event-loop.js'

const MAX_RECORDS = 256
/** What so many records may hold beside images and numbers: texts, metadata, and embeddings in base64. */
const PLAIN_BYTES = 48 * MIB

const JsonBody = Type.Object(
  { records: Type.Array(JsonRecord, { minItems: 1, maxItems: MAX_RECORDS }) },
  {
    additionalProperties: false,
    examples: [
      { records: [{ id: 'apple', text: 'a red apple', image: EXAMPLE_IMAGE, metadata: { kind: 'fruit' } }] }
    ]
  }
)

const nullable = <S extends TSchema>(schema: S) => Type.Optional(Type.Union([schema, Type.Null()]))
const PatchBody = Type.Object(
  {
    text: nullable(RecordText),
    metadata: nullable(Metadata),
    image: nullable(JsonImage),
    embeddings: Type.Optional(Embeddings),
    ttl_seconds: nullable(TtlSeconds),
    expires_at: nullable(ExpiresAt)
  },
  { additionalProperties: false, minProperties: 1, examples: [{ metadata: { seen: true } }] }
)

const column = <S extends TSchema>(item: S) =>
  Type.Optional(Type.Array(item, { minItems: 1, maxItems: MAX_RECORDS }))
const FormRecords = Type.Object(
  {
    image: column(FormImage),
    id: column(RecordId),
    text: column(RecordText),
    metadata: column(Metadata),
    ttl_seconds: column(TtlSeconds),
    expires_at: column(ExpiresAt)
  },
  {
    additionalProperties: false,
    minProperties: 1,
    description:
      'Repeated fields are matched by position; a field that is sent must be sent for every record, ' +
      'empty if a record has no value.',
    examples: [{ id: ['apple'], text: ['a red apple'], metadata: [{ kind: 'fruit' }] }]
  }
)
/** What is checked of the request as a whole; each record is checked by itself. */
const Envelope = Type.Object(
  { records: Type.Array(Type.Unknown(), { minItems: 1, maxItems: MAX_RECORDS }) },
  { additionalProperties: false }
)

const Result = Type.Object({
  id: Type.Union([Type.String(), Type.Null()], { description: 'Null if a failed record has no valid id.' }),
  status: Type.Enum(['created', 'updated', 'failed']),
  error: Type.Optional(Type.Object({ code: Type.String(), message: Type.String() }))
})

const tags = ['Records']

/** Adding records, or replacing them. */
export function recordRoutes(app: App, services: Services): void {
  const { config, encoders, collections, metrics } = services
  const maxImageBytes = config.MAX_IMAGE_MIB * MIB
  const bodyLimit = config.MAX_RECORDS_BODY_MIB * MIB
  const check = recordChecker(app)
  app.post(
    '/v1/collections/:collection/records',
    {
      bodyLimit,
      config: { json: { plainBytes: Math.min(bodyLimit, PLAIN_BYTES) } },
      schema: {
        tags,
        operationId: 'upsertRecords',
        summary: 'Add or replace records',
        description:
          'Up to 256 records, each with an image, a text or both. Each record gets its own status, in ' +
          'the order sent; a failed or invalid record does not affect the others. A record as GET ' +
          'returns it can be sent again: it keeps its image through its `image_url`, and its times are ' +
          'ignored. As a form: parts `image` (files), `id`, `text`, `metadata` (JSON), `ttl_seconds`, ' +
          '`expires_at`, each as often as there are records.',
        params: OwnCollectionParams,
        body: {
          content: {
            'application/json': { schema: JsonBody },
            'multipart/form-data': { schema: FormRecords }
          }
        },
        response: responses({ 200: Type.Object({ results: Type.Array(Result) }) })
      },
      validatorCompiler: (route) =>
        app.validatorCompiler!(route.httpPart === 'body' ? { ...route, schema: Envelope } : route),
      preValidation: formBody({ fileBytes: maxImageBytes, totalBytes: bodyLimit }, async (form) => ({
        records: await formRecords(form, MAX_RECORDS)
      }))
    },
    async (request) => {
      const collection = await collections.get(request.params.collection)
      const { records: sent } = request.body as Static<typeof Envelope>
      const load = imageLoader(services, request, { lane: 'bulk', totalBytes: bodyLimit })
      const loadRecord = recordLoader({
        load,
        collection,
        images: services.images,
        callOptions: request.callOptions
      })
      const records = await Promise.all(
        (await mapYielding(sent, check)).map((record) =>
          'error' in record ? record : loadRecord({ ...record, id: record.id ?? randomUUID() })
        )
      )
      const results = await ingest(
        { encoders, collection, onStep: request.onStep },
        records,
        request.callOptions
      )
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
        summary: 'Update fields of a record',
        description:
          'Fields that are not sent stay unchanged; null removes a field. Metadata is merged (RFC ' +
          '7396). A new text or image is encoded again.',
        params: OwnRecordParams,
        body: PatchBody,
        response: responses({ 200: RecordBody })
      }
    },
    async (request) => {
      const {
        params,
        body: { image, ...rest },
        callOptions,
        onStep
      } = request
      const collection = await collections.get(params.collection)
      const load = imageLoader(services, request, { lane: 'interactive', totalBytes: maxImageBytes })
      await patchRecord(
        { encoders, collection, onStep },
        {
          id: params.id,
          ...takeExpiry(rest),
          ...(image !== undefined && { image: image && (await load(image)) })
        },
        callOptions
      )
      request.countChanges('updated')
      // What is done is not refused for a queue that is full by now.
      return toRecordBody(params.collection, (await collection.get(params.id)) ?? notFound(params))
    }
  )
  app.get(
    '/v1/collections/:collection/records/:id',
    {
      schema: {
        tags,
        operationId: 'getRecord',
        summary: 'Show a record',
        params: RecordParams,
        response: responses({ 200: RecordBody })
      }
    },
    async ({ params, callOptions }) => {
      const collection = await collections.get(params.collection)
      const record = await collection.get(params.id, callOptions)
      return toRecordBody(params.collection, record ?? notFound(params))
    }
  )
  app.delete(
    '/v1/collections/:collection/records/:id',
    {
      schema: {
        tags,
        operationId: 'deleteRecord',
        summary: 'Delete a record',
        params: OwnRecordParams,
        response: responses({ 204: Type.Null() })
      }
    },
    async (request, reply) => {
      const { params, callOptions } = request
      const collection = await collections.get(params.collection)
      const [{ existed }] = await collection.delete([params.id], {}, callOptions)
      if (!existed) notFound(params)
      request.countChanges('deleted')
      return reply.code(204).send(null)
    }
  )
}

function notFound({ collection, id }: { collection: string; id: string }): never {
  throw new RecordNotFound(collection, id)
}
