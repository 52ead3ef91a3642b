import { CollectionConflict, CollectionNotFound, CollectionReplaced, isPublicError, toErrorShape, type ErrorShape } from '../../errors.js'
import { replacedName, type CollectionSettings, type Modality, type MutableSettings, type RecordPatch, type RecordWrite, type StoredCollection } from '../record.js'
import type { Connection } from './connection.js'
import { createRecordWriter, type RecordCopy } from './record-writes.js'

/** One change of the store, whole or not at all. */
export type Write =
  | { kind: 'create'; settings: CollectionSettings }
  | { kind: 'configure'; collection: CollectionKey; settings: MutableSettings }
  | { kind: 'drop'; collection: CollectionKey }
  | { kind: 'upsert'; collection: CollectionKey; records: Digested<RecordWrite>[] }
  | { kind: 'patch'; collection: CollectionKey; id: string; patch: Digested<RecordPatch> }
  /** With `updatedAt`, those that were changed since stay. */
  | { kind: 'delete'; collection: CollectionKey; ids: string[]; updatedAt?: number[] }
  /** Copies records into another collection, with other embeddings; those that were changed since are passed over. */
  | { kind: 'copy'; collection: CollectionKey; into: CollectionKey; records: RecordCopy[] }
  /** Puts another collection in this one's place, under its name, if it has copies of all its records as they are. */
  | { kind: 'replace'; collection: CollectionKey; by: CollectionKey }
  | { kind: 'job'; id: string; body: string; createdAt: number }

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
  /** Whether the collection was replaced. */
  replaced?: boolean
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
  const nameOf = db.prepare<[number], string>('SELECT name FROM collection WHERE id = ?').pluck()
  const images = db.prepare<[number], string>('SELECT DISTINCT image_sha256 FROM record WHERE collection = ? AND image_sha256 IS NOT NULL').pluck()
  const drop = db.prepare('DELETE FROM collection WHERE id = ?')
  const saveJob = db.prepare('INSERT INTO job (id, body, created_at) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body')
  const records = createRecordWriter(db)
  const replace = createReplace(db)

  const create = (settings: CollectionSettings): Written => {
    const { name, model, fingerprint, dimension, hnsw, storage } = settings
    if (nameExists.get(name)) throw new CollectionConflict(name, 'its name', 'another')
    const createdAt = Date.now()
    const { id } = insert.get(name, model, fingerprint, dimension, JSON.stringify(hnsw), storage, createdAt)!
    return { created: { ...settings, id, createdAt }, changes: [] }
  }
  return db.transaction((write: Write, released: Set<string>): Written => {
    if (write.kind === 'create') return create(write.settings)
    if (write.kind === 'job') {
      saveJob.run(write.id, write.body, write.createdAt)
      return { changes: [] }
    }
    const { id, name } = write.collection
    const present = nameOf.get(id)
    if (present === undefined) throw new CollectionNotFound(name)
    if (present !== name) throw new CollectionReplaced(name)
    switch (write.kind) {
      case 'copy':
        if (!nameOf.get(write.into.id)) throw new CollectionNotFound(write.into.name)
        return { changes: write.records.map((record) => records.copy(id, write.into.id, record)) }
      case 'replace':
        return { changes: [], replaced: replace(write.collection, write.by) }
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

/** A function that renames two collections, and says whether it did. */
function createReplace(db: Connection): (collection: CollectionKey, by: CollectionKey) => boolean {
  const differs = db.prepare<unknown[], number>(`
    SELECT EXISTS (SELECT 1 FROM record r WHERE r.collection = $old AND NOT EXISTS
        (SELECT 1 FROM record c WHERE c.collection = $new AND c.id = r.id AND c.updated_at = r.updated_at AND c.created_at = r.created_at))
      OR (SELECT count(*) FROM record WHERE collection = $old) <> (SELECT count(*) FROM record WHERE collection = $new)`).pluck()
  const rename = db.prepare('UPDATE collection SET name = ? WHERE id = ?')
  // What could be changed meanwhile, and its age, are the collection's own.
  const inherit = db.prepare('UPDATE collection AS c SET hnsw = o.hnsw, storage = o.storage, created_at = o.created_at FROM collection o WHERE c.id = ? AND o.id = ?')
  return ({ id, name }, by) => {
    if (differs.get({ old: id, new: by.id })) return false
    rename.run(replacedName(name, id), id)
    rename.run(name, by.id)
    inherit.run(by.id, id)
    return true
  }
}
