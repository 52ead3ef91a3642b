import type { Modality, RecordWrite } from './collections/record.js'
import type { Embedding } from './encoder/embedding.js'
import { isPublicError, RecordInvalid, toErrorShape, type ErrorShape } from './errors.js'
import { encoderOf, keepImage, requireStorable, toEmbeddings, type Target } from './record-parts.js'

/** A record as it is sent in. */
export interface NewRecord {
  id: string
  text?: string
  metadata?: Record<string, unknown>
  image?: Uint8Array
  /** Embeddings brought along, used in place of the encoder's. */
  embeddings?: Partial<Record<Modality, number[]>>
}

export type IngestResult = { id: string; status: 'created' | 'updated' } | { id: string; status: 'failed'; error: Pick<ErrorShape, 'code' | 'message'> }

type Faulty = { id: string; error: unknown }
/** A record whose brought embeddings are checked. */
type Checked = Omit<NewRecord, 'embeddings'> & { embeddings: Partial<Record<Modality, Embedding>> }

/**
 * Encodes records in the bulk lane and writes those that could be encoded, in one commit; a result a record, in their
 * order. Throws FINGERPRINT_MISMATCH, and what stops the whole request: QUEUE_FULL, CLOSED, an abort.
 */
export async function ingest(target: Target, records: (NewRecord | Faulty)[], signal?: AbortSignal): Promise<IngestResult[]> {
  encoderOf(target)
  const checked = records.map((record) => ('error' in record ? record : check(target, record)))
  const valid = checked.filter((record): record is Checked => !('error' in record))
  const encoded = await encodeAll(target, valid, signal)
  const prepared = await Promise.all(valid.map((record, i) => prepare(target, record, encoded[i])))
  const writes = prepared.filter((record): record is RecordWrite => !('error' in record))
  const written = (writes.length > 0 ? await target.collection.upsert(writes) : []).values()
  const outcomes = prepared.map((record) => ('error' in record ? failed(record) : written.next().value!)).values()
  return checked.map((record) => ('error' in record ? failed(record) : outcomes.next().value!))
}

function failed({ id, error }: Faulty): IngestResult {
  const { code, message } = toErrorShape(error)
  return { id, status: 'failed', error: { code, message } }
}

function check({ collection: { settings } }: Target, record: NewRecord): Checked | Faulty {
  try {
    requireStorable(record)
    const embeddings = toEmbeddings(record.embeddings ?? {}, settings.dimension)
    const isBrought = Object.keys(embeddings).length > 0
    if (settings.model === null && !isBrought) throw new RecordInvalid(`A record of '${settings.name}' brings its embeddings: the collection has no model.`)
    if (record.text === undefined && !record.image && !isBrought) throw new RecordInvalid('A record needs an image, a text or embeddings.')
    return { ...record, embeddings }
  } catch (error) {
    return { id: record.id, error }
  }
}

type Encoded = Partial<Record<Modality, PromiseSettledResult<Embedding>>>

/** Encodes what the records hold and bring no embedding for. */
async function encodeAll(target: Target, records: Checked[], signal?: AbortSignal): Promise<Encoded[]> {
  const encoder = encoderOf(target)
  const isEncoded = target.collection.settings.model !== null
  const toEncode = records.map(({ image, text, embeddings }) => ({
    ...(isEncoded && image && !embeddings.image && { image }),
    ...(isEncoded && text !== undefined && !embeddings.text && { text })
  }))
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
    orStop(encoder.encodeImages(given(toEncode.map(({ image }) => image)), options)),
    orStop(encoder.encodeTexts(given(toEncode.map(({ text }) => text)), options))
  ])
  const refusal = [...images, ...texts].find((result) => result.status === 'rejected' && stopsAll(result.reason))
  if (refusal?.status === 'rejected') throw refusal.reason
  const [nextImage, nextText] = [images.values(), texts.values()]
  return toEncode.map(({ image, text }) => ({
    ...(image && { image: nextImage.next().value! }),
    ...(text !== undefined && { text: nextText.next().value! })
  }))
}

/** Whether an error is about the request or the service, not about one record. */
function stopsAll(error: unknown): boolean {
  return !isPublicError(error) || ['QUEUE_FULL', 'CLOSED', 'CLIENT_GONE', 'WORKER_DIED'].includes(error.code)
}

async function prepare(target: Target, { id, text, metadata, image, embeddings: brought }: Checked, encoded: Encoded): Promise<RecordWrite | Faulty> {
  const embeddings: RecordWrite['embeddings'] = { ...brought }
  for (const [modality, result] of Object.entries(encoded) as [Modality, PromiseSettledResult<Embedding>][]) {
    if (result.status === 'rejected') return { id, error: result.reason }
    embeddings[modality] = result.value
  }
  try {
    const kept = image && (await keepImage(target, image))
    return { id, text, metadata, embeddings, ...(kept && { image: kept }) }
  } catch (error) {
    // An image that brought its embedding was not decoded before.
    return { id, error }
  }
}
