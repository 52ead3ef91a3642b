import { Type } from 'typebox'
import { MIB } from '../../config.js'
import { CollectionParams, responses, type ImageBody } from '../schemas.js'
import { formBody, parseField, singleBody } from './form.js'
import { imageBodyLimit } from './image-body.js'
import { imageLoader } from './load-images.js'
import { loadParts } from './load-parts.js'
import { runSearch, type Search } from './run-search.js'
import {
  FormImageQuery,
  GeneralQuery,
  JsonImageQuery,
  SearchBody,
  searchOptions,
  TargetName,
  TextQuery,
  type SearchOptionsBody
} from './search-schemas.js'
import { sendJson } from './send-json.js'
import type { App, Services } from './services.js'

const tags = ['Search']
const response = responses({ 200: SearchBody })

/** The two plain searches: words to pictures, and a picture to texts. */
export function searchRoutes(app: App, services: Services): void {
  const { config, encoders, collections } = services
  const maxImageBytes = config.MAX_IMAGE_MIB * MIB
  const run = (name: string, search: Search) =>
    runSearch({ encoders, collection: collections.get(name) }, search)

  app.post(
    '/v1/collections/:collection/search/text-to-image',
    {
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'searchTextToImage',
        summary: 'Find pictures by words',
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
        summary: 'Find texts by a picture',
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
      collections.get(params.collection)
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
  const run = (name: string, search: Search) =>
    runSearch({ encoders, collection: collections.get(name) }, search)

  app.post(
    '/v1/collections/:collection/search',
    {
      bodyLimit: imageBodyLimit(maxImageBytes),
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'search',
        summary: 'Search by anything for anything',
        description:
          'The query is a text, an image, a record, an embedding, or a list of these with weights, ' +
          'negative ones too: their sum is compared with pictures, texts, or records by both.',
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
      collections.get(params.collection)
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
        summary: 'Search by words, from a browser',
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
