import type { CallOptions } from '../threading/call-options.js'
import type { Modality, RecordWrite } from '../collections/record.js'
import type { Embedding } from '../encoder/embedding.js'
import { isPublicError, isTransient, RecordInvalid, toErrorShape, type ErrorShape } from '../errors.js'
import type { BulkLoadStep } from '../collections/stores/bulk-load.js'
import {
  encoderOf,
  keepImage,
  requireStorable,
  toEmbeddings,
  toMetadataText,
  type SentEmbedding,
  type Target
} from './record-parts.js'
import { timeStep } from '../telemetry/stages.js'
import { mapYielding } from '../threading/yield-to-event-loop.js'

/** A record as it is sent in. */
export interface NewRecord {
  id: string
  text?: string
  metadata?: Record<string, unknown>
  image?: Uint8Array
  /** When it is gone by itself, in milliseconds since 1970. */
  expiresAt?: number
  /** Embeddings supplied by the client, used in place of the encoder's. */
  embeddings?: Partial<Record<Modality, SentEmbedding>>
}

export type IngestResult =
  | { id: string; status: 'created' | 'updated' }
  | { id: string | null; status: 'failed'; error: Pick<ErrorShape, 'code' | 'message'> }

/** A record that can't be written, and why. */
export type Faulty = { id: string | null; error: unknown }
/** A record whose brought embeddings are checked, and whose metadata is JSON. */
type Checked = Omit<NewRecord, 'embeddings' | 'metadata'> & {
  metadata?: string
  embeddings: Partial<Record<Modality, Embedding>>
}

/**
 * Encodes records in the bulk lane and writes those that could be encoded, in one commit; a result a record,
 * in their order. Throws FINGERPRINT_MISMATCH, and what stops the whole request: QUEUE_FULL, CLOSED, the end
 * of what the caller waits for. What is handed to the writer by then is written all the same, as one.
 */
export async function ingest(
  target: Target,
  records: (NewRecord | Faulty)[],
  callOptions: CallOptions = {}
): Promise<IngestResult[]> {
  return writeRecords(target, { prepared: await prepareRecords(target, records, callOptions) }, callOptions)
}

/**
 * Writes what was prepared, in one commit, with the step of the bulk load that it is; a result a record, in
 * their order.
 */
export async function writeRecords(
  { collection, onStep }: Pick<Target, 'collection' | 'onStep'>,
  { prepared, load }: { prepared: (RecordWrite | Faulty)[]; load?: BulkLoadStep },
  callOptions: CallOptions
): Promise<IngestResult[]> {
  const writes = prepared.filter((record): record is RecordWrite => !('error' in record))
  const write = () => collection.upsert(writes, { load }, callOptions)
  const step = {
    stage: 'write',
    attributes: { 'semblance.collection': collection.settings.name, 'semblance.records': writes.length }
  } as const
  const written = (writes.length > 0 || load ? await timeStep(onStep, step, write) : []).values()
  return prepared.map((record) => ('error' in record ? failedResult(record) : written.next().value!))
}

/**
 * Encodes records in the bulk lane; what is to be written or is rejected, in their order. Throws as `ingest`.
 */
export async function prepareRecords(
  target: Target,
  records: (NewRecord | Faulty)[],
  callOptions: CallOptions
): Promise<(RecordWrite | Faulty)[]> {
  encoderOf(target)
  const checked = await mapYielding(records, (record) => ('error' in record ? record : check(target, record)))
  const valid = checked.filter((record): record is Checked => !('error' in record))
  const encoded = await encodeAll(target, valid, callOptions)
  const prepared = (
    await Promise.all(valid.map((record, i) => prepare({ ...target, callOptions }, record, encoded[i])))
  ).values()
  return checked.map((record) => ('error' in record ? record : prepared.next().value!))
}

/** What a refused record is answered. */
export function failedResult({ id, error }: Faulty): IngestResult {
  const { code, message } = toErrorShape(error)
  return { id, status: 'failed', error: { code, message } }
}

function check({ collection: { settings } }: Target, record: NewRecord): Checked | Faulty {
  try {
    requireStorable(record)
    const metadata = record.metadata && toMetadataText(record.metadata)
    const embeddings = toEmbeddings(record.embeddings ?? {}, settings.dimension)
    const isBrought = Object.keys(embeddings).length > 0
    if (settings.model === null && !isBrought)
      throw new RecordInvalid(
        `The record has no embeddings; collection '${settings.name}' has no model, so send embeddings ` +
          'with each record.'
      )
    if (record.text === undefined && !record.image && !isBrought)
      throw new RecordInvalid('The record has no image, text or embeddings; send at least one of them.')
    return { ...record, metadata, embeddings }
  } catch (error) {
    return { id: record.id, error }
  }
}

type Encoded = Partial<Record<Modality, PromiseSettledResult<Embedding>>>

/** Encodes what the records hold and bring no embedding for. */
async function encodeAll(
  target: Target,
  records: Checked[],
  { signal, deadline, sharing }: CallOptions
): Promise<Encoded[]> {
  const encoder = encoderOf(target)
  const isEncoded = target.collection.settings.model !== null
  const toEncode = records.map(({ image, text, embeddings }) => ({
    ...(isEncoded && image && !embeddings.image && { image }),
    ...(isEncoded && text !== undefined && !embeddings.text && { text })
  }))
  const given = <T>(values: (T | undefined)[]) => values.filter((value): value is T => value !== undefined)
  // What one refusal makes pointless is dropped unrun.
  const stop = new AbortController()
  const options = {
    lane: 'bulk',
    onStep: target.onStep,
    deadline,
    sharing,
    signal: signal ? AbortSignal.any([signal, stop.signal]) : stop.signal
  } as const
  const orStop = (encoding: Promise<Embedding>[]) =>
    Promise.allSettled(
      encoding.map((promise) =>
        promise.catch((error) => {
          if (stopsAll(error)) stop.abort(error)
          throw error
        })
      )
    )
  const [images, texts] = await Promise.all([
    orStop(encoder.encodeImages(given(toEncode.map(({ image }) => image)), options)),
    orStop(encoder.encodeTexts(given(toEncode.map(({ text }) => text)), options))
  ])
  const refusal = [...images, ...texts].find(
    (result) => result.status === 'rejected' && stopsAll(result.reason)
  )
  if (refusal?.status === 'rejected') throw refusal.reason
  const [nextImage, nextText] = [images.values(), texts.values()]
  return toEncode.map(({ image, text }) => ({
    ...(image && { image: nextImage.next().value! }),
    ...(text !== undefined && { text: nextText.next().value! })
  }))
}

/** Whether an error is about the request or the service, not about one record. */
export function stopsAll(error: unknown): boolean {
  return (
    !isPublicError(error) ||
    isTransient(error) ||
    ['CLOSED', 'CLIENT_GONE', 'DEADLINE_EXCEEDED'].includes(error.code)
  )
}

async function prepare(
  { callOptions, ...target }: Target & { callOptions: CallOptions },
  { image, embeddings: brought, ...record }: Checked,
  encoded: Encoded
): Promise<RecordWrite | Faulty> {
  const embeddings: RecordWrite['embeddings'] = { ...brought }
  for (const [modality, result] of Object.entries(encoded) as [Modality, PromiseSettledResult<Embedding>][]) {
    if (result.status === 'rejected') return { id: record.id, error: result.reason }
    embeddings[modality] = result.value
  }
  try {
    const kept = image && (await keepImage(target, image, callOptions))
    return { ...record, embeddings, ...(kept && { image: kept }) }
  } catch (error) {
    if (isPublicError(error) && stopsAll(error)) throw error
    // An image that brought its embedding was not decoded before.
    return { id: record.id, error }
  }
}
