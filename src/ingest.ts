import type { Collection } from './collections/collection.js'
import type { Modality, RecordWrite } from './collections/record.js'
import type { Embedding } from './encoder/embedding.js'
import type { Encoder } from './encoder/encoder.js'
import { sniffImage } from './encoder/sniff-image.js'
import { FingerprintMismatch, isPublicError, RecordInvalid, toErrorShape, type ErrorShape } from './errors.js'

/** A record as it is sent in, before it has embeddings. */
export interface NewRecord {
  id: string
  text?: string
  metadata?: Record<string, unknown>
  image?: Uint8Array
}

export type IngestResult = { id: string; status: 'created' | 'updated' } | { id: string; status: 'failed'; error: Pick<ErrorShape, 'code' | 'message'> }

const MAX_METADATA_BYTES = 64 * 1024
const MAX_METADATA_DEPTH = 32

/** Throws FINGERPRINT_MISMATCH when a collection's embeddings come from another encoder. */
export function requireSameEncoder({ settings }: Collection, { model }: Encoder): void {
  if (settings.fingerprint === model.fingerprint) return
  const describe = (name: string, fingerprint: string) => `'${name}' (${fingerprint.slice(0, 12)})`
  throw new FingerprintMismatch(settings.name, describe(settings.model, settings.fingerprint), describe(model.name, model.fingerprint))
}

/**
 * Encodes records in the bulk lane and writes those that could be encoded, in one commit; a result a record, in their
 * order. Throws FINGERPRINT_MISMATCH, and what stops the whole request: QUEUE_FULL, CLOSED, an abort.
 */
export async function ingest(
  { encoder, collection }: { encoder: Encoder; collection: Collection },
  records: (NewRecord | { id: string; error: unknown })[],
  signal?: AbortSignal
): Promise<IngestResult[]> {
  requireSameEncoder(collection, encoder)
  const checked = records.map((record) => ('error' in record ? record : check(record)))
  const valid = checked.filter((record): record is NewRecord => !('error' in record))
  const encoded = await encodeAll(encoder, valid, signal)
  const prepared = await Promise.all(valid.map((record, i) => prepare({ encoder, collection }, record, encoded[i])))
  const writes = prepared.filter((record): record is RecordWrite => !('error' in record))
  const written = (writes.length > 0 ? await collection.upsert(writes) : []).values()
  const outcomes = prepared.map((record) => ('error' in record ? failed(record) : written.next().value!)).values()
  return checked.map((record) => ('error' in record ? failed(record) : outcomes.next().value!))
}

function failed({ id, error }: { id: string; error: unknown }): IngestResult {
  const { code, message } = toErrorShape(error)
  return { id, status: 'failed', error: { code, message } }
}

function check(record: NewRecord): NewRecord | { id: string; error: unknown } {
  const { id, text, metadata, image } = record
  const fault = (message: string) => ({ id, error: new RecordInvalid(message) })
  if (text === undefined && !image) return fault('A record needs an image or a text.')
  if (text?.trim() === '') return fault('The text is empty; leave it out if there is none.')
  if (Buffer.byteLength(id) > 255) return fault('The id is over 255 bytes.')
  if (!isShallow(metadata, MAX_METADATA_DEPTH)) return fault(`The metadata is nested over ${MAX_METADATA_DEPTH} deep.`)
  const metadataText = JSON.stringify(metadata ?? {})
  if (Buffer.byteLength(metadataText) > MAX_METADATA_BYTES) return fault('The metadata is over 64 KiB.')
  if (![id, text ?? ''].every((value) => value.isWellFormed())) return fault('The id or the text holds half of a surrogate pair, which is no UTF-8.')
  return record
}

function isShallow(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  return depth > 0 && Object.values(value).every((inner) => isShallow(inner, depth - 1))
}

type Encoded = Partial<Record<Modality, PromiseSettledResult<Embedding>>>

async function encodeAll(encoder: Encoder, records: NewRecord[], signal?: AbortSignal): Promise<Encoded[]> {
  const given = <T>(values: (T | undefined)[]) => values.filter((value): value is T => value !== undefined)
  // What one refusal makes pointless is dropped unrun.
  const stop = new AbortController()
  const options = { lane: 'bulk', signal: signal ? AbortSignal.any([signal, stop.signal]) : stop.signal } as const
  const orStop = (encoding: Promise<Embedding>[]) =>
    Promise.allSettled(encoding.map((promise) => promise.catch((error) => {
      if (stopsAll(error)) stop.abort(error)
      throw error
    })))
  const [images, texts] = await Promise.all([
    orStop(encoder.encodeImages(given(records.map((record) => record.image)), options)),
    orStop(encoder.encodeTexts(given(records.map((record) => record.text)), options))
  ])
  const refusal = [...images, ...texts].find((result) => result.status === 'rejected' && stopsAll(result.reason))
  if (refusal?.status === 'rejected') throw refusal.reason
  const [nextImage, nextText] = [images.values(), texts.values()]
  return records.map(({ image, text }) => ({
    ...(image && { image: nextImage.next().value! }),
    ...(text !== undefined && { text: nextText.next().value! })
  }))
}

/** Whether an error is about the request or the service, not about one record. */
function stopsAll(error: unknown): boolean {
  return !isPublicError(error) || ['QUEUE_FULL', 'CLOSED', 'CLIENT_GONE', 'WORKER_DIED'].includes(error.code)
}

async function prepare(
  { encoder, collection }: { encoder: Encoder; collection: Collection },
  { id, text, metadata, image }: NewRecord,
  encoded: Encoded
): Promise<RecordWrite | { id: string; error: unknown }> {
  const embeddings: RecordWrite['embeddings'] = {}
  for (const [modality, result] of Object.entries(encoded) as [Modality, PromiseSettledResult<Embedding>][]) {
    if (result.status === 'rejected') return { id, error: result.reason }
    embeddings[modality] = result.value
  }
  const kept = image && (await keepImage({ encoder, collection }, image))
  return { id, text, metadata, embeddings, ...(kept && { image: kept }) }
}

async function keepImage({ encoder, collection }: { encoder: Encoder; collection: Collection }, bytes: Uint8Array): Promise<RecordWrite['image']> {
  const { storage } = collection.settings
  if (storage === 'none') return undefined
  if (storage === 'thumbnail') return { bytes: await encoder.thumbnail(bytes), type: 'image/webp' }
  return { bytes, type: await sniffImage(bytes) }
}
