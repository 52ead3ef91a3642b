import type { CallOptions } from '../threading/call-options.js'
import { MODALITIES, type Modality, type RecordPatch } from '../collections/record.js'
import type { Embedding } from '../encoder/embedding.js'
import {
  encoderOf,
  keepImage,
  requireModel,
  requireStorable,
  toEmbeddings,
  toMetadataText,
  type SentEmbedding,
  type Target
} from './record-parts.js'
import { timeStep } from '../telemetry/stages.js'

/** A patch of a record as it is sent: undefined leaves a field as it is, null removes it. */
export interface SentPatch {
  text?: string | null
  metadata?: Record<string, unknown> | null
  image?: Uint8Array | null
  /** Embeddings supplied by the client, used in place of the encoder's. */
  embeddings?: Partial<Record<Modality, SentEmbedding>>
  /** When it is gone by itself, in milliseconds since 1970. */
  expiresAt?: number | null
}

/**
 * Encodes what a patch brings and merges it into a record. Throws RECORD_NOT_FOUND, RECORD_INVALID,
 * EMBEDDING_INVALID, FINGERPRINT_MISMATCH, or what stops the encoder on its image or text.
 */
export async function patchRecord(
  target: Target,
  { id, ...sent }: SentPatch & { id: string },
  callOptions: CallOptions = {}
): Promise<void> {
  const { collection } = target
  const { text, metadata, image, expiresAt } = sent
  requireStorable({ id, text })
  if (metadata) toMetadataText(metadata)
  const brought = toEmbeddings(sent.embeddings ?? {}, collection.settings.dimension)
  const changes = await Promise.all(
    MODALITIES.map(
      async (modality) =>
        [modality, brought[modality] ?? (await encode(target, { ...sent, modality }, callOptions))] as const
    )
  )
  const embeddings: RecordPatch['embeddings'] = Object.fromEntries(
    changes.filter(([, embedding]) => embedding !== undefined)
  )
  const kept = image && ((await keepImage(target, image, callOptions)) ?? null)
  const patch = { text, metadata, expiresAt, embeddings, ...(image !== undefined && { image: kept }) }
  await timeStep(
    target.onStep,
    {
      stage: 'write',
      attributes: { 'semblance.collection': collection.settings.name, 'semblance.records': 1 }
    },
    () => collection.patch(id, patch, callOptions)
  )
}

/**
 * The embedding that a patch makes of one modality: undefined leaves the one that is there, null removes
 * it.
 */
async function encode(
  target: Target,
  { modality, image, text }: SentPatch & { modality: Modality },
  callOptions: CallOptions
): Promise<Embedding | null | undefined> {
  const value = modality === 'image' ? image : text
  if (value === undefined || value === null) return value
  // Without a model a text is kept as it is; an image would be searched by nothing.
  if (modality === 'text' && target.collection.settings.model === null) return undefined
  requireModel(target.collection)
  const encoder = encoderOf(target)
  const options = { lane: 'interactive', ...callOptions, onStep: target.onStep } as const
  return value instanceof Uint8Array
    ? encoder.encodeImage(value, options)
    : encoder.encodeText(value, options)
}
