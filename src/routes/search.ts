import { Type } from 'typebox'
import { MIB } from '../config.js'
import type { QueryPart } from '../query.js'
import { CollectionParams, responses, type ImageBody } from '../schemas.js'
import { formBody, parseField, singleBody } from './form.js'
import { imageBodyLimit, imageBytes } from './image-body.js'
import { runSearch, type Search } from './run-search.js'
import { FormImageQuery, GeneralQuery, JsonImageQuery, SearchBody, searchOptions, TargetName, TextQuery, type SearchOptionsBody } from './search-schemas.js'
import type { App, Services } from './services.js'

const tags = ['Search']
const response = responses({ 200: SearchBody })

/** The two plain searches: words to pictures, and a picture to texts. */
export function searchRoutes(app: App, { config, encoders, collections, metrics }: Services): void {
  const maxImageBytes = config.MAX_IMAGE_MIB * MIB
  const run = (name: string, search: Search) => runSearch({ encoders, metrics, collection: collections.get(name) }, search)

  app.post(
    '/v1/collections/:collection/search/text-to-image',
    { config: { scope: 'read' }, schema: { tags, operationId: 'searchTextToImage', summary: 'Find pictures by words', params: CollectionParams, body: TextQuery, response } },
    async ({ params, body: { text, ...options }, gone: signal }) => run(params.collection, { parts: [{ text }], target: 'image', options, signal })
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
        body: { content: { 'application/json': { schema: JsonImageQuery }, 'multipart/form-data': { schema: FormImageQuery } } },
        response
      },
      preValidation: formBody({ fileBytes: maxImageBytes, totalBytes: maxImageBytes + (1 << 20) }, (form) => singleBody(form, Object.keys(searchOptions)))
    },
    async ({ params, body, gone: signal }) => {
      const { image, ...options } = body as SearchOptionsBody & { image: ImageBody }
      return run(params.collection, { parts: [{ image: imageBytes(image, maxImageBytes) }], target: 'text', options, signal })
    }
  )
}

/** The general search, and a plain one for browsers. */
export function generalSearchRoutes(app: App, { config, encoders, collections, metrics }: Services): void {
  const maxImageBytes = config.MAX_IMAGE_MIB * MIB
  const run = (name: string, search: Search) => runSearch({ encoders, metrics, collection: collections.get(name) }, search)

  app.post(
    '/v1/collections/:collection/search',
    {
      bodyLimit: imageBodyLimit(maxImageBytes),
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'search',
        summary: 'Search by anything for anything',
        description: 'The query is a text, an image, a record, an embedding, or a list of these with weights, negative ones too: their sum is compared with pictures, texts, or records by both.',
        params: CollectionParams,
        body: GeneralQuery,
        response
      }
    },
    async ({ params, body: { query, target = 'image', fusion, ...options }, gone: signal }) => {
      const parts = [query].flat().map(({ image, ...part }): QueryPart => ({ ...part, ...(image && { image: imageBytes(image, maxImageBytes) }) }))
      return run(params.collection, { parts, target, fusion, options, signal })
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
    async ({ params, query: { text, target = 'image', filter, limit, offset }, gone: signal }) => {
      const options = { limit, offset, ...(filter !== undefined && { filter: parseField('filter', filter) as Record<string, unknown> }) }
      return run(params.collection, { parts: [{ text }], target, options, signal })
    }
  )
}
