import type { CallOptions } from '../threading/call-options.js'
import type { Collection } from '../collections/collection.js'
import { MAX_METADATA_BYTES, type Modality, type RecordWrite } from '../collections/record.js'
import { normalise, type Embedding } from '../encoder/embedding.js'
import type { Encoder } from '../encoder/encoder.js'
import type { Encoders } from '../encoder/encoders.js'
import { sniffImage } from '../encoder/sniff-image.js'
import { CollectionHasNoModel, EmbeddingInvalid, FingerprintMismatch, RecordInvalid } from '../errors.js'
import { findInexact, inexactMessage } from '../validation/exact-numbers.js'
import { isShallow, MAX_METADATA_DEPTH } from '../json/depth.js'
import { Unusable } from '../json/parse.js'
import type { OnStep } from '../telemetry/stages.js'

/** A collection, and the encoders that are loaded. */
export interface Target {
  encoders: Encoders
  collection: Collection
  /** Told what the time goes to. */
  onStep?: OnStep
}

/**
 * The encoder that a collection's embeddings come from; any, for a collection whose embeddings are brought
 * along. Throws FINGERPRINT_MISMATCH when it is not loaded.
 */
export function encoderOf({ collection: { settings }, encoders }: Target): Encoder {
  if (settings.fingerprint === null) return encoders.get()
  const encoder = encoders.withFingerprint(settings.fingerprint)
  if (encoder) return encoder
  const describe = (name: string | null, fingerprint: string) => `'${name}' (${fingerprint.slice(0, 12)})`
  const loaded = encoders.all.map(({ model }) => describe(model.name, model.fingerprint)).join(', ')
  throw new FingerprintMismatch(settings.name, describe(settings.model, settings.fingerprint), loaded)
}

/**
 * Throws COLLECTION_HAS_NO_MODEL when a collection's embeddings are supplied by the client: nothing can be
 * encoded for it.
 */
export function requireModel({ settings }: Collection): void {
  if (settings.model === null) throw new CollectionHasNoModel(settings.name)
}

/** Throws RECORD_INVALID for an id or a text that can't be kept as they are. */
export function requireStorable({ id, text }: { id: string; text?: string | null }): void {
  if (text?.trim() === '') throw new RecordInvalid('The text is empty; leave it out if there is none.')
  if (id === '.' || id === '..')
    throw new RecordInvalid(`The id '${id}' can't be used in a path; use another id.`)
  if (Buffer.byteLength(id) > 255) throw new RecordInvalid('The id has more than 255 bytes.')
  if (![id, text ?? ''].every((value) => value.isWellFormed()))
    throw new RecordInvalid('The id or the text holds an unpaired surrogate, which is not valid UTF-8.')
}

/** Metadata as the JSON that is kept of it. Throws RECORD_INVALID for what can't be kept as it was sent. */
export function toMetadataText(metadata: Record<string, unknown>): string {
  if (metadata instanceof Unusable) throw new RecordInvalid(metadata.reason)
  if (!isShallow(metadata, MAX_METADATA_DEPTH))
    throw new RecordInvalid(`The metadata is nested more than ${MAX_METADATA_DEPTH} levels deep.`)
  const inexact = findInexact(metadata, 'metadata')
  if (inexact) throw new RecordInvalid(inexactMessage(inexact))
  const text = JSON.stringify(metadata)
  requireMetadataSize(text)
  return text
}

/** Throws RECORD_INVALID for metadata over 64 KiB of JSON. */
export function requireMetadataSize(text: string): void {
  if (Buffer.byteLength(text) > MAX_METADATA_BYTES)
    throw new RecordInvalid('The metadata is larger than 64 KiB.')
}

/**
 * An embedding that was sent in, L2-normalised. Throws EMBEDDING_INVALID for another dimension, zeros, or
 * what overflows.
 */
export function toEmbedding(values: number[], dimension: number): Embedding {
  if (values.length !== dimension)
    throw new EmbeddingInvalid(
      `The embedding must have ${dimension} dimensions, as the collection, not ${values.length}.`
    )
  // The norm is taken in doubles: what is far from 1 may leave the range of floats.
  const norm = Math.hypot(...values)
  if (!Number.isFinite(norm) || norm === 0)
    throw new EmbeddingInvalid('The embedding must hold finite numbers, not all of them zero.')
  return normalise(Float32Array.from(values, (value) => value / norm))
}

/** An embedding as it is sent in: numbers, or the base64 of float32 values, little-endian. */
export type SentEmbedding = number[] | string

/** Embeddings that were sent in, by modality. Throws EMBEDDING_INVALID. */
export function toEmbeddings(
  sent: Partial<Record<Modality, SentEmbedding>>,
  dimension: number
): Partial<Record<Modality, Embedding>> {
  return Object.fromEntries(
    Object.entries(sent).map(([modality, values]) => [
      modality,
      toEmbedding(typeof values === 'string' ? decodeFloats(values) : values, dimension)
    ])
  )
}

/** The numbers that a base64 text of float32 values, little-endian, stands for. Throws EMBEDDING_INVALID. */
function decodeFloats(base64: string): number[] {
  const bytes = Buffer.from(base64, 'base64')
  // Node passes over what is not base64; encoded again it is another text then.
  if (bytes.length === 0 || bytes.toString('base64') !== base64)
    throw new EmbeddingInvalid('The embedding is not valid base64 with padding.')
  if (bytes.length % Float32Array.BYTES_PER_ELEMENT !== 0)
    throw new EmbeddingInvalid(
      `The embedding must be float32 values of 4 bytes each; it has ${bytes.length} bytes.`
    )
  return Array.from({ length: bytes.length / Float32Array.BYTES_PER_ELEMENT }, (_, i) =>
    bytes.readFloatLE(i * Float32Array.BYTES_PER_ELEMENT)
  )
}

/** What a collection keeps of an image: the file, a thumbnail, or nothing. */
export async function keepImage(
  target: Target,
  bytes: Uint8Array,
  callOptions: CallOptions = {}
): Promise<RecordWrite['image']> {
  const { storage } = target.collection.settings
  if (storage === 'none') return undefined
  if (storage === 'thumbnail')
    return { bytes: await encoderOf(target).thumbnail(bytes, callOptions), type: 'image/webp' }
  return { bytes, type: await sniffImage(bytes) }
}
