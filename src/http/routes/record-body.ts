import type { Static } from 'typebox'
import type { StoredRecord } from '../../collections/record.js'
import type { RecordBody } from '../schemas.js'

/** The path of a record's kept image, or null. */
export function imageUrl(
  collection: string,
  { id, image }: Pick<StoredRecord, 'id' | 'image'>
): string | null {
  return image && `/v1/collections/${collection}/records/${encodeURIComponent(id)}/image`
}

/** A record as it stands in responses. */
export function toRecordBody<Metadata>(
  collection: string,
  record: StoredRecord<Metadata>
): Omit<Static<typeof RecordBody>, 'metadata'> & { metadata: Metadata | null } {
  const { id, text, metadata, modalities, createdAt, updatedAt, expiresAt } = record
  return {
    id,
    text,
    metadata,
    modalities,
    image_url: imageUrl(collection, record),
    created_at: new Date(createdAt).toISOString(),
    updated_at: new Date(updatedAt).toISOString(),
    ...(expiresAt !== null && { expires_at: new Date(expiresAt).toISOString() })
  }
}
