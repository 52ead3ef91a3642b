import { CollectionConflict, CollectionNotFound, isPublicError, toErrorShape, type ErrorShape } from '../../errors.js'
import type { CollectionSettings, Modality, MutableSettings, RecordPatch, RecordWrite, StoredCollection } from '../record.js'
import type { Connection } from './connection.js'
import { createRecordWriter } from './record-writes.js'

/** One change of the store, whole or not at all. */
export type Write =
  | { kind: 'create'; settings: CollectionSettings }
  | { kind: 'configure'; collection: CollectionKey; settings: MutableSettings }
  | { kind: 'drop'; collection: CollectionKey }
  | { kind: 'upsert'; collection: CollectionKey; records: Digested<RecordWrite>[] }
  | { kind: 'patch'; collection: CollectionKey; id: string; patch: Digested<RecordPatch> }
  /** With `updatedAt`, those that were changed since stay. */
  | { kind: 'delete'; collection: CollectionKey; ids: string[]; updatedAt?: number[] }

/** A collection by its key in the store; the name is for messages. */
export type CollectionKey = Pick<StoredCollection, 'id' | 'name'>

/** A write whose image, if it keeps one, is already a file under its digest. */
export type Digested<W> = Omit<W, 'image'> & { image?: { sha256: string; type: string; bytes: number } | null }

/** What a write did to one record. */
export interface RecordChange {
  /** The record's key in the store, never given twice. */
  key: number
  existed: boolean
  /** Whether it is gone now. */
  gone: boolean
  metadata: Record<string, unknown> | null
  added: { label: number; modality: Modality }[]
  removed: { label: number; modality: Modality }[]
}

/** What a write did, for its caller and for the indexes. */
export interface Written {
  /** The collection that was created. */
  created?: StoredCollection
  /** By record, in the order given. */
  changes: RecordChange[]
}

export type WriteAnswer = Written | { failure: ErrorShape }

/** A writer over an open store. */
export interface StoreWriter {
  /**
   * Commits writes in one transaction, in their order. One that can't be done fails alone; a failure of the store (no
   * space, say) throws and leaves nothing. Returns the images that no record refers to any more, too.
   */
  commit(writes: Write[]): { answers: WriteAnswer[]; orphanedImages: string[] }
}

/** Prepares the statements of a store's only writer. */
export function createStoreWriter(db: Connection): StoreWriter {
  const imageIsReferred = db.prepare('SELECT 1 FROM record WHERE image_sha256 = ? LIMIT 1').pluck()
  const writeOne = createWrite(db)
  const commit = db.transaction((writes: Write[]) => {
    const released = new Set<string>()
    const answers = writes.map((write): WriteAnswer => {
      try {
        return writeOne(write, released)
      } catch (error) {
        if (isPublicError(error)) return { failure: toErrorShape(error) }
        throw error
      }
    })
    return { answers, orphanedImages: [...released].filter((sha256) => !imageIsReferred.get(sha256)) }
  })
  return { commit: (writes) => commit.immediate(writes) }
}

/** A function that does one write in a savepoint, adding to `released` the images that records stopped referring to. */
function createWrite(db: Connection): (write: Write, released: Set<string>) => Written {
  const insert = db.prepare<unknown[], { id: number }>(
    'INSERT INTO collection (name, model, fingerprint, dimension, hnsw, storage, created_at) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id'
  )
  const configure = db.prepare('UPDATE collection SET hnsw = ?, storage = ? WHERE id = ?')
  const nameExists = db.prepare('SELECT 1 FROM collection WHERE name = ?').pluck()
  const exists = db.prepare('SELECT 1 FROM collection WHERE id = ?').pluck()
  const images = db.prepare<[number], string>('SELECT DISTINCT image_sha256 FROM record WHERE collection = ? AND image_sha256 IS NOT NULL').pluck()
  const drop = db.prepare('DELETE FROM collection WHERE id = ?')
  const records = createRecordWriter(db)

  const create = (settings: CollectionSettings): Written => {
    const { name, model, fingerprint, dimension, hnsw, storage } = settings
    if (nameExists.get(name)) throw new CollectionConflict(name, 'its name', 'another')
    const createdAt = Date.now()
    const { id } = insert.get(name, model, fingerprint, dimension, JSON.stringify(hnsw), storage, createdAt)!
    return { created: { ...settings, id, createdAt }, changes: [] }
  }
  return db.transaction((write: Write, released: Set<string>): Written => {
    if (write.kind === 'create') return create(write.settings)
    const { id, name } = write.collection
    if (!exists.get(id)) throw new CollectionNotFound(name)
    switch (write.kind) {
      case 'configure':
        configure.run(JSON.stringify(write.settings.hnsw), write.settings.storage, id)
        return { changes: [] }
      case 'drop':
        for (const sha256 of images.all(id)) released.add(sha256)
        drop.run(id)
        return { changes: [] }
      case 'upsert':
        return { changes: write.records.map((record) => records.upsert(id, record, released)) }
      case 'patch':
        return { changes: [records.patch(write.collection, write, released)] }
      case 'delete':
        return { changes: write.ids.map((recordId, i) => records.remove(id, { id: recordId, updatedAt: write.updatedAt?.[i] }, released)) }
    }
  })
}
