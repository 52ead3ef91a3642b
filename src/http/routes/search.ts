import { type Static, Type } from 'typebox'
import { parseFilter } from '../../collections/filter.js'
import type { Fusion } from '../../collections/fusion.js'
import type { Match, Target as SearchTarget } from '../../collections/record.js'
import { MIB } from '../../config.js'
import { InvalidRequest } from '../../errors.js'
import { encodeQuery, type QueryPart } from '../../records/query.js'
import type { Target } from '../../records/record-parts.js'
import type { OnStep } from '../../telemetry/stages.js'
import type { CallOptions } from '../../threading/call-options.js'
import { CollectionParams, type ImageBody, responses } from '../schemas.js'
import { formBody, parseField, singleBody } from './form.js'
import { imageBodyLimit } from './image-body.js'
import { imageLoader } from './load-images.js'
import { loadParts } from './load-parts.js'
import { imageUrl } from './record-body.js'
import {
  FormImageQuery,
  GeneralQuery,
  JsonImageQuery,
  MAX_DEPTH,
  SearchBody,
  searchOptions,
  type SearchOptionsBody,
  TargetName,
  TextQuery
} from './search-schemas.js'
import { followSearch } from './search-took.js'
import { sendJson } from './send-json.js'
import type { App, Services } from './services.js'

const tags = ['Search']
const response = responses({ 200: SearchBody })

/** The two plain searches: words to pictures, and a picture to texts. */
export function searchRoutes(app: App, services: Services): void {
  const { config, encoders, collections } = services
  const maxImageBytes = config.MAX_IMAGE_MIB * MIB
  const run = async (name: string, search: Search) =>
    runSearch({ encoders, collection: await collections.get(name) }, search)

  app.post(
    '/v1/collections/:collection/search/text-to-image',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'searchTextToImage',
        summary: 'Search images by text',
        params: CollectionParams,
        body: TextQuery,
        response
      }
    },
    async ({ params, body: { text, ...options }, callOptions, onStep }, reply) =>
      sendJson(
        reply,
        await run(params.collection, { parts: [{ text }], target: 'image', options, callOptions, onStep })
      )
  )
  app.post(
    '/v1/collections/:collection/search/image-to-text',
    {
      bodyLimit: imageBodyLimit(maxImageBytes),
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'searchImageToText',
        summary: 'Search texts by image',
        params: CollectionParams,
        body: {
          content: {
            'application/json': { schema: JsonImageQuery },
            'multipart/form-data': { schema: FormImageQuery }
          }
        },
        response
      },
      preValidation: formBody({ fileBytes: maxImageBytes, totalBytes: maxImageBytes + (1 << 20) }, (form) =>
        singleBody(form, Object.keys(searchOptions))
      )
    },
    async (request, reply) => {
      const { params, body, callOptions, onStep } = request
      const { image, ...options } = body as SearchOptionsBody & { image: ImageBody }
      await collections.get(params.collection)
      const load = imageLoader(services, request, { lane: 'interactive', totalBytes: maxImageBytes })
      return sendJson(
        reply,
        await run(params.collection, {
          parts: [{ image: await load(image) }],
          target: 'text',
          options,
          callOptions,
          onStep
        })
      )
    }
  )
}

/** The general search, and a plain one for browsers. */
export function generalSearchRoutes(app: App, services: Services): void {
  const { config, encoders, collections } = services
  const maxImageBytes = config.MAX_IMAGE_MIB * MIB
  const run = async (name: string, search: Search) =>
    runSearch({ encoders, collection: await collections.get(name) }, search)

  app.post(
    '/v1/collections/:collection/search',
    {
      bodyLimit: imageBodyLimit(maxImageBytes),
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'search',
        summary: 'Search by any combination of inputs',
        description:
          'The query is a text, an image, a record, an embedding, or a list of these with weights, ' +
          'which may be negative. The weighted sum is compared with images, texts, or records by both.',
        params: CollectionParams,
        body: GeneralQuery,
        response
      }
    },
    async (request, reply) => {
      const {
        params,
        body: { query, target = 'image', fusion, ...options },
        callOptions,
        onStep
      } = request
      await collections.get(params.collection)
      const parts = await loadParts(services, request, query)
      return sendJson(
        reply,
        await run(params.collection, { parts, target, fusion, options, callOptions, onStep })
      )
    }
  )
  app.get(
    '/v1/collections/:collection/search',
    {
      schema: {
        tags,
        operationId: 'searchByText',
        summary: 'Search by text with GET',
        params: CollectionParams,
        querystring: Type.Object(
          {
            text: Type.String({ minLength: 1, examples: ['rainbow'] }),
            target: Type.Optional(TargetName),
            limit: searchOptions.limit,
            offset: searchOptions.offset,
            filter: Type.Optional(Type.String({ description: 'A filter as JSON.' }))
          },
          { additionalProperties: false }
        ),
        response
      }
    },
    async (
      { params, query: { text, target = 'image', filter, limit, offset }, callOptions, onStep },
      reply
    ) => {
      const options = {
        limit,
        offset,
        ...(filter !== undefined && { filter: parseField('filter', filter) as Record<string, unknown> })
      }
      return sendJson(
        reply,
        await run(params.collection, { parts: [{ text }], target, options, callOptions, onStep })
      )
    }
  )
}

/** A search as a request asks for it. */
interface Search {
  parts: QueryPart[]
  target: SearchTarget
  options: SearchOptionsBody
  fusion?: Fusion
  callOptions: CallOptions
  onStep: OnStep
}

/** The answer's body, its embeddings as they are: they become lists of numbers where it is written. */
type Response = Omit<Static<typeof SearchBody>, 'matches'> & { matches: object[] }
type Fields = NonNullable<SearchOptionsBody['with']>

const DEFAULT_FIELDS: Fields = ['text', 'metadata', 'image_url']

/**
 * Encodes the query, searches, and times both. Throws what the query, the filter or the collection refuse.
 */
async function runSearch(
  { encoders, collection }: Target,
  { parts, target, options, fusion, callOptions, onStep }: Search
): Promise<Response> {
  const { limit = 10, offset = 0, exact, ef_search: efSearch } = options
  if (offset + limit > MAX_DEPTH)
    throw new InvalidRequest(`offset and limit together must be at most ${MAX_DEPTH}.`)
  if (fusion) requireFusion(fusion)
  const filter = options.filter && parseFilter(options.filter)
  const { tell, took } = followSearch(onStep)
  // One bound for both queues.
  const bounded = { ...callOptions, queued: {} }
  const query = await encodeQuery({ encoders, collection }, parts, {
    lane: 'interactive',
    ...bounded,
    onStep: tell
  })
  const searchedAt = performance.now()
  const { matches, explanation } = await collection.search(
    query,
    {
      target,
      limit,
      offset,
      exact,
      efSearch,
      filter,
      fusion,
      scoreThreshold: options.score_threshold,
      relativeThreshold: options.relative_threshold,
      without: parts.flatMap(({ record }) => record ?? []),
      withEmbeddings: options.with?.includes('embeddings')
    },
    bounded
  )
  tell({
    stage: 'search',
    at: searchedAt,
    ms: performance.now() - searchedAt,
    attributes: {
      'semblance.collection': collection.settings.name,
      'semblance.target': target,
      'semblance.strategy': explanation.strategy
    }
  })
  return {
    matches: matches.map((match) =>
      toMatchBody(collection.settings.name, match, options.with ?? DEFAULT_FIELDS)
    ),
    model: collection.settings.model,
    took_ms: took(),
    ...(options.explain && { explanation })
  }
}

function requireFusion({ method, weights, normalisation }: Fusion): void {
  if (weights?.image === 0 && weights.text === 0)
    throw new InvalidRequest('fusion.weights must not both be 0.')
  if (normalisation !== undefined && method !== 'weighted')
    throw new InvalidRequest(`fusion.normalisation is only for the method weighted, not for ${method}.`)
}

function toMatchBody(
  collection: string,
  { record, modality, score, embeddings }: Match,
  fields: Fields
): object {
  const wanted = new Set<string>(fields)
  return {
    id: record.id,
    score,
    modality,
    ...(wanted.has('text') && { text: record.text }),
    ...(wanted.has('metadata') && { metadata: record.metadata }),
    ...(wanted.has('image_url') && { image_url: imageUrl(collection, record) }),
    ...(embeddings && {
      embeddings: {
        ...(embeddings.image && { image: embeddings.image }),
        ...(embeddings.text && { text: embeddings.text })
      }
    })
  }
}
