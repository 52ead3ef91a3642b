import { Type, type Static } from 'typebox'
import type { Collection } from '../collections/collection.js'
import type { Match, Modality as ModalityName } from '../collections/record.js'
import type { Embedding } from '../encoder/embedding.js'
import type { EncodeOptions, StageTimings } from '../encoder/encoder.js'
import { requireSameEncoder } from '../ingest.js'
import { CollectionParams, EXAMPLE_IMAGE, FormImage, JsonImage, Limit, Metadata, Milliseconds, Modality, responses, type ImageBody } from '../schemas.js'
import { formBody, singleBody } from './form.js'
import { imageBytes } from './image-body.js'
import { imageUrl } from './record-body.js'
import type { App, Services } from './services.js'

const options = {
  limit: Type.Optional(Limit),
  exact: Type.Optional(Type.Boolean({ description: 'Compare with every embedding instead of the HNSW graph.' })),
  ef_search: Type.Optional(Type.Integer({ minimum: 1, maximum: 10000, description: "Candidates in the graph; the collection's by default." }))
}
type Options = Static<ReturnType<typeof Type.Object<typeof options>>>

const TextQuery = Type.Object(
  { text: Type.String({ minLength: 1, description: 'What the pictures show.' }), ...options },
  { additionalProperties: false, examples: [{ text: 'a slice of pizza', limit: 3 }] }
)
const JsonQuery = Type.Object({ image: JsonImage, ...options }, { additionalProperties: false, examples: [{ image: EXAMPLE_IMAGE, limit: 3 }] })
const FormQuery = Type.Object({ image: FormImage, ...options }, { additionalProperties: false })

const SearchBody = Type.Object({
  matches: Type.Array(
    Type.Object({
      id: Type.String(),
      score: Type.Number({ description: 'The cosine of the query and the record, -1 to 1.' }),
      modality: Modality,
      text: Type.Union([Type.String(), Type.Null()]),
      metadata: Type.Union([Metadata, Type.Null()]),
      image_url: Type.Union([Type.String(), Type.Null()])
    })
  ),
  model: Type.String(),
  took_ms: Type.Object({ queue: Milliseconds, decode: Milliseconds, encode: Milliseconds, search: Milliseconds, total: Milliseconds })
})

const tags = ['Search']

/** The two plain searches: words to pictures, a picture to texts. */
export function searchRoutes(app: App, { config, encoder, collections }: Services): void {
  const maxImageBytes = config.MAX_IMAGE_MIB << 20

  const search = async (collection: Collection, query: { target: ModalityName; encode: (options: EncodeOptions) => Promise<Embedding>; signal: AbortSignal }, { limit = 10, exact, ef_search: efSearch }: Options) => {
    requireSameEncoder(collection, encoder)
    const timings: StageTimings = { queue: 0, decode: 0 }
    const startedAt = performance.now()
    const embedding = await query.encode({ lane: 'interactive', signal: query.signal, timings })
    const encodedAt = performance.now()
    const matches = await collection.search(embedding, { target: query.target, limit, exact, efSearch })
    const endedAt = performance.now()
    const encode = Math.max(0, encodedAt - startedAt - timings.queue - timings.decode)
    const took = { ...timings, encode, search: endedAt - encodedAt, total: endedAt - startedAt }
    return {
      matches: matches.map((match) => toMatchBody(collection.settings.name, match)),
      model: encoder.model.name,
      took_ms: Object.fromEntries(Object.entries(took).map(([stage, ms]) => [stage, Math.round(ms * 1000) / 1000])) as Static<typeof SearchBody>['took_ms']
    }
  }

  app.post(
    '/v1/collections/:collection/search/text-to-image',
    { schema: { tags, operationId: 'searchTextToImage', summary: 'Find pictures by words', params: CollectionParams, body: TextQuery, response: responses({ 200: SearchBody }) } },
    async ({ params, body: { text, ...rest }, gone: signal }) =>
      search(collections.get(params.collection), { target: 'image', encode: (encodeOptions) => encoder.encodeText(text, encodeOptions), signal }, rest)
  )
  app.post(
    '/v1/collections/:collection/search/image-to-text',
    {
      // Base64 makes four characters of three bytes.
      bodyLimit: Math.ceil(maxImageBytes * 1.4),
      schema: {
        tags,
        operationId: 'searchImageToText',
        summary: 'Find texts by a picture',
        params: CollectionParams,
        body: { content: { 'application/json': { schema: JsonQuery }, 'multipart/form-data': { schema: FormQuery } } },
        response: responses({ 200: SearchBody })
      },
      preValidation: formBody({ fileBytes: maxImageBytes, totalBytes: maxImageBytes + (1 << 20) }, (form) => singleBody(form, Object.keys(options)))
    },
    async ({ params, body, gone: signal }) => {
      const { image, ...rest } = body as Options & { image: ImageBody }
      const bytes = imageBytes(image, maxImageBytes)
      return search(collections.get(params.collection), { target: 'text', encode: (encodeOptions) => encoder.encodeImage(bytes, encodeOptions), signal }, rest)
    }
  )
}

function toMatchBody(collection: string, { record, modality, score }: Match) {
  const { id, text, metadata } = record
  return { id, score, modality, text, metadata, image_url: imageUrl(collection, record) }
}
