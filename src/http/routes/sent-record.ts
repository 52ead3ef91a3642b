import type { Static } from 'typebox'
import { RecordInvalid } from '../../errors.js'
import { isObject } from '../../json/is-object.js'
import type { NewRecord } from '../../records/ingest.js'
import { RecordFields, type ImageBody } from '../schemas.js'
import { describeFaults } from '../../validation/faults.js'
import { takeExpiry } from './expiry.js'
import { FaultyRow } from './form-records.js'
import type { App } from './services.js'

/** A record whose image may be an url still, or that of a record that is stored. */
export type UnfetchedRecord = Omit<NewRecord, 'image'> & { image?: ImageBody; imageUrl?: string }

type Fields = Omit<Static<typeof RecordFields>, 'image'> & { image?: ImageBody }

/**
 * A record that was sent: what it holds, or why it can't be taken, with the id that it names, if there is
 * one.
 */
export type SentRecord =
  (Omit<UnfetchedRecord, 'id'> & { id?: string }) | { id: string | null; error: unknown }

/**
 * A function that checks a record by itself, so that one that is misshapen leaves the others be. A field that
 * is null is absent. What GET shows beside what is sent is taken: `image_url` names the image that is kept,
 * `modalities` must be there, and the times are not looked at.
 */
export function recordChecker(app: App): (sent: unknown) => SentRecord {
  const validate = app.validatorCompiler!({ schema: RecordFields, method: 'POST', url: '', httpPart: 'body' })
  return (sent) => {
    if (sent instanceof FaultyRow) return sent
    const { record, file } = split(sent)
    try {
      if (validate(record) !== true)
        throw new RecordInvalid(describeFaults((validate as { errors?: [] }).errors ?? [], 'The record'))
      return toRecord({ ...(record as Static<typeof RecordFields>), ...(file && { image: file }) })
    } catch (error) {
      return { id: idOf(record), error }
    }
  }
}

/** What GET shows, and is not taken. */
const READ_ONLY = ['created_at', 'updated_at']

function toRecord({ image_url: imageUrl, modalities = [], ...fields }: Fields): SentRecord {
  const { image, text, embeddings } = fields
  const lost = modalities.find(
    (modality) => !embeddings?.[modality] && (modality === 'image' ? !image && !imageUrl : text === undefined)
  )
  if (lost)
    throw new RecordInvalid(
      `The record lists the modality '${lost}', but has neither ${lost} nor an embedding of it. Send ` +
        'one, or leave modalities out.'
    )
  const record = takeExpiry(
    Object.fromEntries(Object.entries(fields).filter(([name]) => !READ_ONLY.includes(name))) as Omit<
      Fields,
      'created_at' | 'updated_at'
    >
  )
  return image || imageUrl === undefined ? record : { ...record, imageUrl }
}

/**
 * A record without what is null, and apart from it the image file that a form has: its bytes are not to be
 * checked as JSON.
 */
function split(sent: unknown): { record: unknown; file?: Uint8Array } {
  const record = withoutNulls(sent)
  if (!isJsonObject(record) || !(record.image instanceof Uint8Array)) return { record }
  const { image: file, ...rest } = record
  return { record: rest, file: file as Uint8Array }
}

/** A record without the fields that are null, in itself, its image and its embeddings. */
function withoutNulls(sent: unknown): unknown {
  if (!isJsonObject(sent)) return sent
  const { image, embeddings } = sent
  return dropNulls({
    ...sent,
    ...(isJsonObject(image) && { image: dropNulls(image) }),
    ...(isJsonObject(embeddings) && { embeddings: dropNulls(embeddings) })
  })
}

function dropNulls(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== null))
}

/** Bytes of a form are no object of JSON. */
function isJsonObject(value: unknown): value is Record<string, unknown> {
  return isObject(value) && !(value instanceof Uint8Array)
}

/** Longest id that a failed record is answered with. */
const MAX_ID_LENGTH = 255

function idOf(record: unknown): string | null {
  const { id } = (record ?? {}) as { id?: unknown }
  return typeof id === 'string' && id.length <= MAX_ID_LENGTH ? id : null
}
