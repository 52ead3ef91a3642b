import type { Modality } from '../collections/record.js'
import { normalise, type Embedding } from '../encoder/embedding.js'
import { QueryInvalid, RecordNotFound } from '../errors.js'
import { encoderOf, requireModel, toEmbedding, type Target } from './record-parts.js'
import type { EncodeOptions } from '../encoder/encode-options.js'

/** One part of a query: exactly one of text, image, record and embedding. */
export interface QueryPart {
  text?: string
  image?: Uint8Array
  /** The id of a record of the collection, whose embedding is taken. */
  record?: string
  /** Of the record's embeddings which; the image's, or else the text's, by default. */
  modality?: Modality
  embedding?: number[]
  /** 1 by default; a negative one leads away. */
  weight?: number
}

const KINDS = ['text', 'image', 'record', 'embedding'] as const

/**
 * The embedding that a query stands for: the weighted sum of its parts' embeddings, L2-normalised. Throws
 * QUERY_INVALID, RECORD_NOT_FOUND, COLLECTION_HAS_NO_MODEL, FINGERPRINT_MISMATCH, and the encoder's errors.
 */
export async function encodeQuery(
  target: Target,
  parts: QueryPart[],
  options: EncodeOptions
): Promise<Embedding> {
  for (const part of parts) requireOneKind(part)
  const embeddings = await Promise.all(parts.map((part) => encodePart(target, part, options)))
  if (parts.length === 1 && (parts[0].weight ?? 1) > 0) return embeddings[0]
  const sum = new Float32Array(target.collection.settings.dimension)
  embeddings.forEach((embedding, i) => {
    const { weight = 1 } = parts[i]
    for (let d = 0; d < sum.length; d++) sum[d] += weight * embedding[d]
  })
  // What is left of parts that cancel each other is rounding, which normalising would blow up to a direction.
  const total = parts.reduce((sum, { weight = 1 }) => sum + Math.abs(weight), 0)
  if (Math.hypot(...sum) <= 1e-4 * total)
    throw new QueryInvalid('The parts of the query cancel each other out; change their weights.')
  return normalise(sum)
}

function requireOneKind(part: QueryPart): void {
  const given = KINDS.filter((kind) => part[kind] !== undefined)
  if (given.length !== 1)
    throw new QueryInvalid(
      `The query must have exactly one of ${KINDS.join(', ')}, or be a list of parts with one each; it ` +
        `has ${given.length > 0 ? given.join(' and ') : 'none'}.`
    )
}

async function encodePart(
  target: Target,
  { text, image, record, modality, embedding }: QueryPart,
  options: EncodeOptions
): Promise<Embedding> {
  const { collection } = target
  if (embedding) return toEmbedding(embedding, collection.settings.dimension)
  if (record !== undefined) {
    const embeddings = await collection.embeddings(record, options)
    const found = modality ? embeddings[modality] : (embeddings.image ?? embeddings.text)
    if (found) return found
    if (await collection.get(record, options))
      throw new QueryInvalid(`Record '${record}' has no ${modality} embedding.`)
    throw new RecordNotFound(collection.settings.name, record)
  }
  requireModel(collection)
  const encoder = encoderOf(target)
  return image ? encoder.encodeImage(image, options) : encoder.encodeText(text!, options)
}
