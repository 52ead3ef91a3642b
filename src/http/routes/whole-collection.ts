import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { MIB } from '../../config.js'
import { parseFilter } from '../../collections/filter.js'
import { jsonParts } from '../../json/json-parts.js'
import { encodeQuery } from '../../records/query.js'
import { CollectionParams, Milliseconds, RecordId, responses } from '../schemas.js'
import { timeStep } from '../../telemetry/stages.js'
import { imageBodyLimit } from './image-body.js'
import { loadParts } from './load-parts.js'
import { FilterBody, Query, SearchTook } from './search-schemas.js'
import { followSearch, rounded } from './search-took.js'
import type { App, Services } from './services.js'

const MAX_SAMPLE = 100_000
const DEFAULT_SAMPLE = 2000
const DEFAULT_NEIGHBORS = 15
/** What so many ids may take in a body, at some 80 bytes each. */
const IDS_BYTES = 8 * MIB

const Target = Type.Enum(['image', 'text'], {
  default: 'image',
  description: 'What to compare: images or texts.'
})
const Value = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()])

const MatrixQuery = Type.Object(
  {
    target: Type.Optional(Target),
    sample: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_SAMPLE,
        default: DEFAULT_SAMPLE,
        description:
          'Maximum records of the sample, the same ones each time, or all records if there are fewer.'
      })
    ),
    neighbors: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 100,
        default: DEFAULT_NEIGHBORS,
        description:
          'Nearest neighbors of each record; in all at most 2,000,000. 0 returns only the sample and ' +
          'its values.'
      })
    ),
    filter: Type.Optional(FilterBody),
    fields: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 1000 }), {
        maxItems: 4,
        uniqueItems: true,
        description: 'Metadata fields whose values are returned.'
      })
    )
  },
  {
    additionalProperties: false,
    examples: [{ target: 'image', sample: 500, neighbors: 15, fields: ['group'] }]
  }
)
const MatrixBody = Type.Object({
  ids: Type.Array(Type.String(), { description: 'The sample: n records.' }),
  neighbors: Type.String({
    description:
      'Base64 of uint32 values, little-endian, shape [n, k]: positions in `ids`, nearest first. ' +
      '4294967295 if a record of the sample was removed meanwhile.'
  }),
  similarities: Type.String({
    description:
      'Base64 of float32 values, little-endian, shape [n, k]: the cosines. NaN where there is no neighbor.'
  }),
  k: Type.Integer({
    description: 'Neighbors of each record: the requested number, or n - 1 if that is less.'
  }),
  values: Type.Record(Type.String(), Type.Array(Type.Union([Value, Type.Array(Value)])), {
    description: 'For each field n values, null if a record has none.'
  }),
  records: Type.Integer({
    description: 'Records that the sample was drawn from: they have the target modality and pass the filter.'
  }),
  took_ms: Type.Object({ total: Milliseconds })
})

const ScoresQuery = Type.Object(
  {
    query: Query,
    target: Type.Optional(Target),
    ids: Type.Array(RecordId, { minItems: 1, maxItems: MAX_SAMPLE })
  },
  {
    additionalProperties: false,
    examples: [{ query: { text: 'something to eat' }, target: 'image', ids: ['1f355'] }]
  }
)
const ScoresBody = Type.Object({
  scores: Type.String({
    description:
      'Base64 of float32 values, little-endian: the exact cosine of the query and each record, in the ' +
      'order of `ids`; NaN if the record or its embedding does not exist.'
  }),
  model: Type.Union([Type.String(), Type.Null()]),
  took_ms: SearchTook
})

const tags = ['Search']

/** What a map of a collection is made from: who is near whom. */
export function matrixRoute(app: App, { collections }: Services): void {
  app.post(
    '/v1/collections/:collection/search/matrix',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'searchMatrix',
        summary: 'Find the nearest neighbors within a sample',
        description:
          'For maps and clusters of a collection. Small samples are compared exactly, large ones (over ' +
          '6,000 records, or 24,000 of 100,000) with the HNSW graph.',
        params: CollectionParams,
        body: MatrixQuery,
        response: responses({ 200: MatrixBody })
      }
    },
    async ({ params, body, callOptions, onStep }, typedReply) => {
      const reply: FastifyReply = typedReply
      const { target = 'image', sample = DEFAULT_SAMPLE, neighbors = DEFAULT_NEIGHBORS, fields = [] } = body
      const collection = await collections.get(params.collection)
      const filter = body.filter && parseFilter(body.filter)
      const startedAt = performance.now()
      const step = {
        stage: 'search',
        attributes: { 'semblance.collection': params.collection, 'semblance.target': target }
      } as const
      const matrix = await timeStep(onStep, step, () =>
        collection.matrix({ target, sample, neighbors, filter, fields }, callOptions)
      )
      callOptions.signal.throwIfAborted()
      const parts = jsonParts({
        ids: matrix.ids,
        neighbors: bytesOf(matrix.positions),
        similarities: bytesOf(matrix.similarities),
        k: matrix.k,
        values: matrix.values,
        records: matrix.records,
        took_ms: { total: rounded(performance.now() - startedAt) }
      })
      return reply.type('application/json; charset=utf-8').send(Readable.from(parts, { objectMode: false }))
    }
  )
}

/** What a map is coloured by: how near all are to a query. */
export function scoresRoute(app: App, services: Services): void {
  const { config, encoders, collections } = services
  app.post(
    '/v1/collections/:collection/search/scores',
    {
      bodyLimit: imageBodyLimit(config.MAX_IMAGE_MIB * MIB) + IDS_BYTES,
      config: { scope: 'read', json: { values: MAX_SAMPLE + 1000, plainBytes: IDS_BYTES + MIB } },
      schema: {
        tags,
        operationId: 'scoreRecords',
        summary: 'Compare a query with given records',
        description:
          'The query has the same form as in the general search. Up to 100,000 records are compared ' +
          'with it exactly.',
        params: CollectionParams,
        body: ScoresQuery,
        response: responses({ 200: ScoresBody })
      }
    },
    async (request) => {
      const {
        params,
        body: { query, target = 'image', ids },
        callOptions,
        onStep
      } = request
      const collection = await collections.get(params.collection)
      const parts = await loadParts(services, request, query)
      const { tell, took } = followSearch(onStep)
      // One bound for both queues.
      const bounded = { ...callOptions, queued: {} }
      const embedding = await encodeQuery({ encoders, collection }, parts, {
        lane: 'interactive',
        ...bounded,
        onStep: tell
      })
      const step = {
        stage: 'search',
        attributes: { 'semblance.collection': params.collection, 'semblance.target': target }
      } as const
      const scores = await timeStep(tell, step, () =>
        collection.scores({ target, query: embedding, ids }, bounded)
      )
      return { scores: bytesOf(scores).toString('base64'), model: collection.settings.model, took_ms: took() }
    }
  )
}

/** The bytes of numbers, little-endian as all machines are that ONNX Runtime runs on. */
function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Uint32Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}
