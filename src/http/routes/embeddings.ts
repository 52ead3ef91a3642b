import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { MIB } from '../../config.js'
import { cosine, type Embedding } from '../../encoder/embedding.js'
import type { EncodeOptions } from '../../encoder/encode-options.js'
import type { Encoder } from '../../encoder/encoder.js'
import { EmbeddingInvalid, InvalidRequest } from '../../errors.js'
import { EXAMPLE_IMAGE, JsonImage, responses } from '../schemas.js'
import { imageBodyLimit } from './image-body.js'
import { imageLoader } from './load-images.js'
import { sendJson } from './send-json.js'
import type { App, Services } from './services.js'

const MAX_INPUTS = 2048
const MAX_SIMILARITY = 256

const InputItem = Type.Union([
  Type.String({ minLength: 1 }),
  Type.Object({ text: Type.String({ minLength: 1 }) }, { additionalProperties: false }),
  Type.Object({ image: JsonImage }, { additionalProperties: false })
])

const EmbeddingsRequest = Type.Object(
  {
    input: Type.Union([InputItem, Type.Array(InputItem, { minItems: 1, maxItems: MAX_INPUTS })], {
      description: 'A text, `{text}`, `{image}`, or a list of these.'
    }),
    model: Type.Optional(Type.String()),
    encoding_format: Type.Optional(
      Type.Enum(['float', 'base64'], {
        description: 'base64: the float32 values in little-endian order, encoded as base64. By default float.'
      })
    ),
    dimensions: Type.Optional(
      Type.Integer({ description: "The model's dimension; other values are rejected." })
    ),
    // As OpenAI's API, this takes null for what is not set.
    user: Type.Optional(Type.String({ description: 'Accepted for compatibility and ignored.' }))
  },
  { additionalProperties: false, examples: [{ model: 'mini', input: ['a dog', { image: EXAMPLE_IMAGE }] }] }
)

const EmbeddingsResponse = Type.Object({
  object: Type.Literal('list'),
  data: Type.Array(
    Type.Object({
      object: Type.Literal('embedding'),
      index: Type.Integer(),
      embedding: Type.Union([Type.Array(Type.Number()), Type.String()])
    })
  ),
  model: Type.String(),
  usage: Type.Object(
    { prompt_tokens: Type.Integer(), total_tokens: Type.Integer() },
    { description: 'Tokens of the texts that the model read.' }
  )
})

const SimilarityRequest = Type.Object(
  {
    texts: Type.Array(Type.String({ minLength: 1 }), { minItems: 1, maxItems: MAX_SIMILARITY }),
    images: Type.Array(JsonImage, { minItems: 1, maxItems: MAX_SIMILARITY }),
    model: Type.Optional(Type.String())
  },
  { additionalProperties: false, examples: [{ texts: ['an apple', 'a dog'], images: [EXAMPLE_IMAGE] }] }
)

const SimilarityResponse = Type.Object({
  similarity: Type.Array(Type.Array(Type.Number()), {
    description: 'The cosines: one row per text, one column per image.'
  }),
  model: Type.String()
})

const tags = ['Embeddings']

/** Embeddings as OpenAI's clients ask for them, and texts compared with images. */
export function embeddingRoutes(app: App, services: Services): void {
  const { config, encoders } = services
  const maxImageBytes = config.MAX_IMAGE_MIB * MIB
  const bodyLimit = imageBodyLimit(maxImageBytes)
  app.post(
    '/v1/embeddings',
    {
      bodyLimit,
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'createEmbeddings',
        summary: 'Embed texts and images',
        description:
          "Compatible with OpenAI's clients. Accepts images as well as texts, embedded in the same space.",
        body: EmbeddingsRequest,
        response: responses({ 200: EmbeddingsResponse })
      },
      preValidation: openaiBody
    },
    async (request, reply) => {
      const {
        body: { input, model, encoding_format: format, dimensions },
        callOptions,
        onStep
      } = request
      const encoder = encoders.get(model)
      if (dimensions !== undefined && dimensions !== encoder.dimension)
        throw new EmbeddingInvalid(
          `dimensions must be ${encoder.dimension}, not ${dimensions}: embeddings of the model ` +
            `'${encoder.model.name}' can't be shortened. Leave dimensions out, or send ` +
            `${encoder.dimension}.`
        )
      const load = imageLoader(services, request, { lane: 'interactive', totalBytes: maxImageBytes })
      const inputs = await Promise.all(
        [input]
          .flat()
          .map(async (item) =>
            typeof item === 'string' ? item : 'text' in item ? item.text : load(item.image)
          )
      )
      const usage = { tokens: 0 }
      const embeddings = await encodeInputs(encoder, inputs, {
        lane: 'interactive',
        ...callOptions,
        onStep,
        usage
      })
      return sendJson(reply, {
        object: 'list' as const,
        data: embeddings.map((embedding, index) => ({
          object: 'embedding' as const,
          index,
          embedding: format === 'base64' ? toBase64(embedding) : embedding
        })),
        model: encoder.model.name,
        usage: { prompt_tokens: usage.tokens, total_tokens: usage.tokens }
      })
    }
  )
  app.post(
    '/v1/similarity',
    {
      bodyLimit,
      config: { scope: 'read' },
      schema: {
        tags,
        operationId: 'compare',
        summary: 'Compare texts with images',
        body: SimilarityRequest,
        response: responses({ 200: SimilarityResponse })
      }
    },
    async (request) => {
      const {
        body: { texts, images, model },
        callOptions,
        onStep
      } = request
      const encoder = encoders.get(model)
      const load = imageLoader(services, request, { lane: 'interactive', totalBytes: maxImageBytes })
      const inputs = [...texts, ...(await Promise.all(images.map(load)))]
      const embeddings = await encodeInputs(encoder, inputs, { lane: 'interactive', ...callOptions, onStep })
      const [rows, columns] = [embeddings.slice(0, texts.length), embeddings.slice(texts.length)]
      return {
        similarity: rows.map((text) => columns.map((image) => cosine(text, image))),
        model: encoder.model.name
      }
    }
  )
}

/** Embeddings of texts (strings) and images (bytes), in their order. */
async function encodeInputs(
  encoder: Encoder,
  inputs: (string | Uint8Array)[],
  options: EncodeOptions
): Promise<Embedding[]> {
  const texts = encoder
    .encodeTexts(
      inputs.filter((input) => typeof input === 'string'),
      options
    )
    .values()
  const images = encoder
    .encodeImages(
      inputs.filter((input) => typeof input !== 'string'),
      options
    )
    .values()
  return Promise.all(inputs.map((input) => (typeof input === 'string' ? texts : images).next().value!))
}

function toBase64({ buffer, byteOffset, byteLength }: Embedding): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64')
}

/** Fields that OpenAI's clients send as null where they are not set. */
const OPTIONAL = ['model', 'encoding_format', 'dimensions', 'user']

const TOKENS =
  "The field 'input' holds token ids, which belong to another model's tokenizer; send texts. In " +
  'LangChain for Python, use OpenAIEmbeddings(check_embedding_ctx_length=False).'

/**
 * A `preValidation` hook of calls that OpenAI's clients make: null is absent, and token ids are told from
 * texts. Throws INVALID_REQUEST.
 */
async function openaiBody(request: FastifyRequest): Promise<void> {
  const { body } = request
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return
  const fields = body as Record<string, unknown>
  for (const name of OPTIONAL) if (fields[name] === null) delete fields[name]
  if (Array.isArray(fields.input) && isTokens(fields.input)) throw new InvalidRequest(TOKENS)
}

/** A list of token ids, or a list of such lists. */
function isTokens([first]: unknown[]): boolean {
  return typeof first === 'number' || (Array.isArray(first) && typeof first[0] === 'number')
}
