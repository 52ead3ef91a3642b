import { RecordInvalid, RecordNotFound } from '../../errors.js'
import { MAX_METADATA_BYTES, MODALITIES, type Modality, type RecordPatch, type RecordWrite } from '../record.js'
import type { Connection } from './connection.js'
import { mergePatch } from './merge-patch.js'
import type { CollectionKey, Digested, RecordChange } from './writes.js'

interface Row {
  key: number
  text: string | null
  metadata: string | null
  sha256: string | null
  type: string | null
  bytes: number
  updatedAt: number
}

type Content = Omit<Row, 'key' | 'updatedAt'>

/** A record's new embeddings, made from it as it was at `updatedAt`. */
export interface RecordCopy {
  key: number
  updatedAt: number
  embeddings: Partial<Record<Modality, Float32Array>>
}

/** What a write did that changed nothing. */
const NOTHING: RecordChange = { key: 0, existed: false, gone: true, metadata: null, added: [], removed: [] }

/** Writes of single records, inside a transaction of the caller. `released` collects images that are let go of. */
export interface RecordWriter {
  upsert(collection: number, record: Digested<RecordWrite>, released: Set<string>): RecordChange
  /** Throws RECORD_NOT_FOUND, and RECORD_INVALID when nothing would be left to search by. */
  patch(collection: CollectionKey, write: { id: string; patch: Digested<RecordPatch> }, released: Set<string>): RecordChange
  /**
   * Copies a record into another collection with embeddings of its own, in place of an earlier copy, if the record is
   * still as it was at `updatedAt`; else nothing changes.
   */
  copy(collection: number, into: number, record: RecordCopy): RecordChange
  /** With `updatedAt`, only if it was not changed since. */
  remove(collection: number, record: { id: string; updatedAt?: number }, released: Set<string>): RecordChange
}

/** Prepares the statements that write records. */
export function createRecordWriter(db: Connection): RecordWriter {
  const find = db.prepare<[number, string], Row>('SELECT key, text, metadata, image_sha256 AS sha256, image_type AS type, image_bytes AS bytes, updated_at AS updatedAt FROM record WHERE collection = ? AND id = ?')
  const insert = db.prepare<unknown[], { key: number }>(
    'INSERT INTO record (collection, id, text, metadata, image_sha256, image_type, image_bytes, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING key'
  )
  const update = db.prepare('UPDATE record SET text = ?, metadata = ?, image_sha256 = ?, image_type = ?, image_bytes = ?, updated_at = ? WHERE key = ?')
  const overwrite = db.prepare('UPDATE record SET text = ?, metadata = ?, image_sha256 = ?, image_type = ?, image_bytes = ?, created_at = ?, updated_at = ? WHERE key = ?')
  const remove = db.prepare('DELETE FROM record WHERE key = ?')
  const unchanged = db.prepare<unknown[], Content & { id: string; createdAt: number }>(
    'SELECT id, text, metadata, image_sha256 AS sha256, image_type AS type, image_bytes AS bytes, created_at AS createdAt FROM record WHERE key = ? AND collection = ? AND updated_at = ?'
  )
  const embeddings = embeddingWrites(db)
  const columns = ({ text, metadata, sha256, type, bytes }: Content) => [text, metadata, sha256, type, bytes]

  return {
    upsert: (collection, record, released) => {
      const before = find.get(collection, record.id)
      const content = { text: record.text ?? null, metadata: record.metadata ? JSON.stringify(record.metadata) : null, ...imageColumns(record.image) }
      const removed = before ? embeddings.remove(before.key, MODALITIES) : []
      if (before?.sha256) released.add(before.sha256)
      if (before) update.run(...columns(content), later(before), before.key)
      const key = before?.key ?? insert.get(collection, record.id, ...columns(content), Date.now(), Date.now())!.key
      const added = embeddings.add({ collection, key }, record.embeddings)
      return { key, existed: before !== undefined, gone: false, metadata: record.metadata ?? null, added, removed }
    },
    patch: ({ id: collection, name }, { id, patch }, released) => {
      const before = find.get(collection, id)
      if (!before) throw new RecordNotFound(name, id)
      const { key } = before
      const metadata = mergePatch(before.metadata === null ? null : JSON.parse(before.metadata), patch.metadata)
      const metadataText = metadata && JSON.stringify(metadata)
      if (metadataText && Buffer.byteLength(metadataText) > MAX_METADATA_BYTES) throw new RecordInvalid('The merged metadata is over 64 KiB.')
      const removed = embeddings.remove(key, Object.keys(patch.embeddings) as Modality[])
      const added = embeddings.add({ collection, key }, patch.embeddings)
      if (removed.length > 0 && embeddings.count(key) === 0) throw new RecordInvalid('A record needs an image or a text; delete it if it should go.')
      if (patch.image !== undefined && before.sha256) released.add(before.sha256)
      const image = patch.image === undefined ? before : imageColumns(patch.image)
      update.run(...columns({ ...before, ...image, text: patch.text === undefined ? before.text : patch.text, metadata: metadataText }), later(before), key)
      return { key, existed: true, gone: false, metadata, added, removed }
    },
    copy: (collection, into, { key: original, updatedAt, embeddings: vectors }) => {
      const row = unchanged.get(original, collection, updatedAt)
      if (!row) return NOTHING
      const earlier = find.get(into, row.id)
      const removed = earlier ? embeddings.remove(earlier.key, MODALITIES) : []
      if (earlier) overwrite.run(...columns(row), row.createdAt, updatedAt, earlier.key)
      const key = earlier?.key ?? insert.get(into, row.id, ...columns(row), row.createdAt, updatedAt)!.key
      const added = embeddings.add({ collection: into, key }, vectors)
      return { key, existed: true, gone: false, metadata: row.metadata === null ? null : JSON.parse(row.metadata), added, removed }
    },
    remove: (collection, { id, updatedAt }, released) => {
      const before = find.get(collection, id)
      if (!before || (updatedAt !== undefined && before.updatedAt !== updatedAt)) return NOTHING
      const removed = embeddings.remove(before.key, MODALITIES)
      if (before.sha256) released.add(before.sha256)
      remove.run(before.key)
      return { key: before.key, existed: true, gone: true, metadata: null, added: [], removed }
    }
  }
}

/** The time of a change: now, and never that of an earlier one, which what was read of the record is known by. */
function later({ updatedAt }: Row): number {
  return Math.max(Date.now(), updatedAt + 1)
}

function imageColumns(image: Digested<RecordWrite>['image']): Pick<Row, 'sha256' | 'type' | 'bytes'> {
  return { sha256: image?.sha256 ?? null, type: image?.type ?? null, bytes: image?.bytes ?? 0 }
}

/** Embeddings are never changed: a new one gets a new row, whose key is its label. */
function embeddingWrites(db: Connection) {
  const insert = db.prepare<unknown[], { label: number }>('INSERT INTO embedding (collection, record, modality, vector) VALUES (?, ?, ?, ?) RETURNING label')
  const remove = db.prepare<[number, Modality], { label: number; modality: Modality }>('DELETE FROM embedding WHERE record = ? AND modality = ? RETURNING label, modality')
  const count = db.prepare<[number], number>('SELECT count(*) FROM embedding WHERE record = ?').pluck()
  return {
    count: (key: number) => count.get(key)!,
    remove: (key: number, modalities: Modality[]) => modalities.flatMap((modality) => remove.all(key, modality)),
    add: ({ collection, key }: { collection: number; key: number }, vectors: Partial<Record<Modality, Float32Array | null>>) =>
      (Object.entries(vectors) as [Modality, Float32Array | null][]).flatMap(([modality, vector]) => {
        if (!vector) return []
        const { label } = insert.get(collection, key, modality, Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength))!
        return [{ label, modality }]
      })
  }
}
