import { CollectionNotFound, isPublicError, toErrorShape, type ErrorShape } from '../../errors.js'
import type { CollectionSettings, Modality, MutableSettings, RecordWrite, StoredCollection } from '../record.js'
import type { Connection } from './connection.js'

/** One change of the store, whole or not at all. */
export type Write =
  | { kind: 'create'; settings: CollectionSettings }
  | { kind: 'configure'; collection: CollectionKey; settings: MutableSettings }
  | { kind: 'drop'; collection: CollectionKey }
  | { kind: 'upsert'; collection: CollectionKey; records: DigestedRecord[] }
  | { kind: 'delete'; collection: CollectionKey; ids: string[] }

/** A collection by its key in the store; the name is for messages. */
export type CollectionKey = Pick<StoredCollection, 'id' | 'name'>

/** A record whose image, if it keeps one, is already a file under its digest. */
export interface DigestedRecord extends Omit<RecordWrite, 'image'> {
  image?: { sha256: string; type: string; bytes: number }
}

/** What a write did, for its caller and for the indexes. */
export interface Written {
  /** The collection that was created. */
  created?: StoredCollection
  /** For an upsert or a delete: by record in the order given, whether it was there before. */
  existed: boolean[]
  added: { label: number; modality: Modality; record: number }[]
  removed: { label: number; modality: Modality }[]
}

export type WriteAnswer = Written | { failure: ErrorShape }

/** A writer over an open store. */
export interface StoreWriter {
  /**
   * Commits writes in one transaction, in their order. One that can't be done fails alone; a failure of the store (no
   * space, say) throws and leaves nothing.
   */
  commit(writes: Write[]): { answers: WriteAnswer[]; orphanedImages: string[] }
}

/** Prepares the statements of a store's only writer. */
export function createStoreWriter(db: Connection): StoreWriter {
  const records = recordWrites(db)
  const createCollection = db.prepare<unknown[], { id: number }>(
    'INSERT INTO collection (name, model, fingerprint, dimension, hnsw, storage, created_at) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id'
  )
  const configureCollection = db.prepare('UPDATE collection SET hnsw = ?, storage = ? WHERE id = ?')
  const collectionExists = db.prepare('SELECT 1 FROM collection WHERE id = ?').pluck()
  const collectionImages = db.prepare<[number], string>('SELECT DISTINCT image_sha256 FROM record WHERE collection = ? AND image_sha256 IS NOT NULL').pluck()
  const dropCollection = db.prepare('DELETE FROM collection WHERE id = ?')
  const imageIsReferred = db.prepare('SELECT 1 FROM record WHERE image_sha256 = ? LIMIT 1').pluck()

  const apply = db.transaction((write: Write, released: Set<string>): Written => {
    const written: Written = { existed: [], added: [], removed: [] }
    if (write.kind === 'create') {
      const { name, model, fingerprint, dimension, hnsw, storage } = write.settings
      const createdAt = Date.now()
      const row = createCollection.get(name, model, fingerprint, dimension, JSON.stringify(hnsw), storage, createdAt)!
      return { ...written, created: { ...write.settings, id: row.id, createdAt } }
    }
    const { id, name } = write.collection
    if (!collectionExists.get(id)) throw new CollectionNotFound(name)
    if (write.kind === 'drop') {
      for (const sha256 of collectionImages.all(id)) released.add(sha256)
      dropCollection.run(id)
    } else if (write.kind === 'configure') {
      configureCollection.run(JSON.stringify(write.settings.hnsw), write.settings.storage, id)
    } else if (write.kind === 'upsert') {
      for (const record of write.records) records.upsert(id, record, { written, released })
    } else {
      for (const recordId of write.ids) records.remove(id, recordId, { written, released })
    }
    return written
  })

  const commit = db.transaction((writes: Write[]) => {
    const released = new Set<string>()
    const answers = writes.map((write): WriteAnswer => {
      try {
        return apply(write, released)
      } catch (error) {
        if (isPublicError(error)) return { failure: toErrorShape(error) }
        throw error
      }
    })
    return { answers, orphanedImages: [...released].filter((sha256) => !imageIsReferred.get(sha256)) }
  })
  return { commit: (writes) => commit.immediate(writes) }
}

interface Effects {
  written: Written
  /** Digests that a record stopped referring to. */
  released: Set<string>
}

function recordWrites(db: Connection) {
  const find = db.prepare<[number, string], { key: number; image: string | null }>('SELECT key, image_sha256 AS image FROM record WHERE collection = ? AND id = ?')
  const insert = db.prepare<unknown[], { key: number }>(
    'INSERT INTO record (collection, id, text, metadata, image_sha256, image_type, image_bytes, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING key'
  )
  const update = db.prepare('UPDATE record SET text = ?, metadata = ?, image_sha256 = ?, image_type = ?, image_bytes = ?, updated_at = ? WHERE key = ?')
  const remove = db.prepare('DELETE FROM record WHERE key = ?')
  const embeddings = db.prepare<[number], { label: number; modality: Modality }>('SELECT label, modality FROM embedding WHERE record = ?')
  const removeEmbeddings = db.prepare('DELETE FROM embedding WHERE record = ?')
  const insertEmbedding = db.prepare<unknown[], { label: number }>('INSERT INTO embedding (collection, record, modality, vector) VALUES (?, ?, ?, ?) RETURNING label')

  const release = (before: { key: number; image: string | null }, { written, released }: Effects) => {
    written.removed.push(...embeddings.all(before.key))
    removeEmbeddings.run(before.key)
    if (before.image) released.add(before.image)
  }
  return {
    upsert: (collection: number, record: DigestedRecord, effects: Effects): void => {
      const before = find.get(collection, record.id)
      const { image } = record
      const content = [record.text ?? null, record.metadata ? JSON.stringify(record.metadata) : null, image?.sha256 ?? null, image?.type ?? null, image?.bytes ?? 0]
      const now = Date.now()
      if (before) {
        release(before, effects)
        update.run(...content, now, before.key)
      }
      const key = before?.key ?? insert.get(collection, record.id, ...content, now, now)!.key
      for (const [modality, vector] of Object.entries(record.embeddings) as [Modality, Float32Array][]) {
        const { label } = insertEmbedding.get(collection, key, modality, Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength))!
        effects.written.added.push({ label, modality, record: effects.written.existed.length })
      }
      effects.written.existed.push(before !== undefined)
    },
    remove: (collection: number, id: string, effects: Effects): void => {
      const before = find.get(collection, id)
      if (before) {
        release(before, effects)
        remove.run(before.key)
      }
      effects.written.existed.push(before !== undefined)
    }
  }
}
