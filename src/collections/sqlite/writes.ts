import {
  CollectionExists,
  CollectionNotFound,
  CollectionReplaced,
  isPublicError,
  toErrorShape,
  type ErrorShape
} from '../../errors.js'
import {
  replacedName,
  type CollectionSettings,
  type MutableSettings,
  type RecordPatch,
  type RecordWrite,
  type RestoredEmbedding,
  type RestoredRecord,
  type StoredCollection
} from '../record.js'
import type { SavedClassifier } from '../stores/classifier-store.js'
import { createClassifierWriter } from './classifiers.js'
import { createCollectionWriter } from './collection-writes.js'
import type { Connection } from './connection.js'
import { createBulkLoadWriter, type BulkLoadWriter } from './bulk-loads.js'
import type { BulkLoadStep } from '../stores/bulk-load.js'
import { createRecordWriter, type RecordCopy } from './record-writes.js'
import { createRestoreWriter } from './restore-writes.js'
import type { CollectionKey, Digested, RecordChange } from './record-change.js'

/** One change of the store, whole or not at all. */
export type Write =
  | { kind: 'create'; settings: CollectionSettings }
  | { kind: 'configure'; collection: CollectionKey; settings: MutableSettings }
  | { kind: 'drop'; collection: CollectionKey }
  /** With `load`, the step of the bulk load that the records are of. */
  | { kind: 'upsert'; collection: CollectionKey; records: Digested<RecordWrite>[]; load?: BulkLoadStep }
  | { kind: 'patch'; collection: CollectionKey; id: string; patch: Digested<RecordPatch> }
  /** With `updatedAt`, those that were changed since stay. */
  | { kind: 'delete'; collection: CollectionKey; ids: string[]; updatedAt?: number[] }
  /**
   * Copies records into another collection, with other embeddings; those that were changed since are passed
   * over.
   */
  | { kind: 'copy'; collection: CollectionKey; into: CollectionKey; records: RecordCopy[] }
  /**
   * Puts another collection in this one's place, under its name, if it has copies of all its records as they
   * are.
   */
  | { kind: 'replace'; collection: CollectionKey; by: CollectionKey }
  /** Adds records of a backup, and embeddings of records that are there. */
  | { kind: 'restore'; collection: CollectionKey; records: Digested<RestoredRecord>[] }
  | { kind: 'embed'; collection: CollectionKey; embeddings: RestoredEmbedding[] }
  /** Gives a restored collection its name and age, in the place of one that has the name if that may be. */
  | { kind: 'instate'; collection: CollectionKey; name: string; createdAt: number; mayReplace: boolean }
  | { kind: 'job'; id: string; body: string; createdAt: number }
  | { kind: 'forget-job'; id: string }
  | ({ kind: 'put-classifier' } & SavedClassifier)
  | { kind: 'drop-classifier'; name: string }
  /** Gives a collection a name that can't be asked for; it is dropped at the next start, if not before. */
  | { kind: 'hide'; collection: CollectionKey }
  /** Removes up to `limit` records of a collection. */
  | { kind: 'clear'; collection: CollectionKey; limit: number }
  /** Removes up to `limit` records whose time is up, and forgets bulk loads that are long over. */
  | { kind: 'expire'; limit: number }

/** What a write did, for its caller and for the indexes. */
export interface Written {
  /** The collection that was created. */
  created?: StoredCollection
  /** Whether the collection was replaced. */
  replaced?: boolean
  /** The collection that another took the place of, by a restore. */
  displaced?: CollectionKey
  /** The name that a collection has now that can't be asked for. */
  hiddenAs?: string
  /** Whether there was a classifier of that name. */
  existed?: boolean
  /** What expired, by collection. */
  expired?: { collection: number; changes: RecordChange[] }[]
  /** By record, in the order given. */
  changes: RecordChange[]
}

/**
 * With `isPartial`, a part of what failed was committed: what is in memory no longer agrees with the store.
 */
export type WriteAnswer = Written | { failure: ErrorShape; isPartial?: boolean }

/** A writer over an open store. */
export interface StoreWriter {
  /**
   * Commits writes in one transaction, in their order. One that can't be done fails alone; a failure of the
   * store (no space, say) throws and leaves nothing. Returns the images that no record refers to any more,
   * too, and how far the store is where it changed.
   */
  commit(writes: Write[]): {
    answers: WriteAnswer[]
    orphanedImages: string[]
    mark?: { commits: number; at: number }
  }
}

/** How long a bulk load is known by its key after its last step, in milliseconds. */
export const BULK_LOAD_KEPT_MS = 7 * 24 * 3600 * 1000

/** Prepares the statements of a store's only writer; `now` is the clock, in milliseconds since 1970. */
export function createStoreWriter(db: Connection, now: () => number = Date.now): StoreWriter {
  const imageIsReferred = db.prepare('SELECT 1 FROM record WHERE image_sha256 = ? LIMIT 1').pluck()
  const totalChanges = db.prepare<[], number>('SELECT total_changes()').pluck()
  const count = db
    .prepare<[number], number>('UPDATE progress SET commits = commits + 1, at = ? RETURNING commits')
    .pluck()
  const writeOne = createWrite(db, now)
  const commit = db.transaction((writes: Write[]) => {
    const released = new Set<string>()
    const before = totalChanges.get()
    const answers = writes.map((write): WriteAnswer => {
      try {
        return writeOne(write, released)
      } catch (error) {
        if (isPublicError(error)) return { failure: toErrorShape(error) }
        throw error
      }
    })
    const orphanedImages = [...released].filter((sha256) => !imageIsReferred.get(sha256))
    // What changes nothing is not counted: it would be written, and synced, for the count alone.
    if (totalChanges.get() === before) return { answers, orphanedImages }
    const at = now()
    return { answers, orphanedImages, mark: { commits: count.get(at)!, at } }
  })
  return { commit: (writes) => commit.immediate(writes) }
}

/**
 * A function that does one write in a savepoint, adding to `released` the images that records stopped
 * referring to.
 */
function createWrite(db: Connection, now: () => number): (write: Write, released: Set<string>) => Written {
  const nameOf = db.prepare<[number], string>('SELECT name FROM collection WHERE id = ?').pluck()
  const jobs = createJobWriter(db)
  const collections = createCollectionWriter(db, now)
  const records = createRecordWriter(db, now)
  const loads = createBulkLoadWriter(db, now)
  const classifiers = createClassifierWriter(db)
  const replace = createReplace(db)
  const restored = createRestoreWriter(db)
  const instate = createInstate(db)

  return db.transaction((write: Write, released: Set<string>): Written => {
    if (write.kind === 'create') return { created: collections.create(write.settings), changes: [] }
    if (write.kind === 'job' || write.kind === 'forget-job') {
      jobs.write(write)
      return { changes: [] }
    }
    if (write.kind === 'put-classifier') return { changes: [], existed: classifiers.put(write) }
    if (write.kind === 'drop-classifier') return { changes: [], existed: classifiers.remove(write.name) }
    if (write.kind === 'expire') {
      loads.forget(now() - BULK_LOAD_KEPT_MS)
      return { changes: [], expired: records.expire(write.limit, released) }
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
        return { changes: [], replaced: replace(write.collection, write.by, loads) }
      case 'restore':
        return { changes: write.records.map((record) => restored.addRecord(id, record)) }
      case 'embed':
        return { changes: write.embeddings.map((embedding) => restored.addEmbedding(id, embedding)) }
      case 'instate':
        return { changes: [], displaced: instate(write) }
      case 'configure':
        collections.configure(id, write.settings)
        return { changes: [] }
      case 'drop':
        collections.drop(id, released)
        return { changes: [] }
      case 'hide':
        return { changes: [], hiddenAs: collections.hide(write.collection) }
      case 'clear':
        return { changes: records.clear(id, write.limit, released) }
      case 'upsert': {
        const changes = write.records.map((record) => records.upsert(id, record, released))
        if (write.load) loads.step(id, write.load, changes)
        return { changes }
      }
      case 'patch':
        return { changes: [records.patch(write.collection, write, released)] }
      case 'delete':
        return {
          changes: write.ids.map((recordId, i) =>
            records.remove(id, { id: recordId, updatedAt: write.updatedAt?.[i] }, released)
          )
        }
    }
  })
}

/** Keeps jobs, and forgets them. */
function createJobWriter(db: Connection): {
  write(write: Extract<Write, { kind: 'job' | 'forget-job' }>): void
} {
  const save = db.prepare(
    'INSERT INTO job (id, body, created_at) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET body = ' +
      'excluded.body'
  )
  const forget = db.prepare('DELETE FROM job WHERE id = ?')
  return {
    write: (write) =>
      void (write.kind === 'job' ? save.run(write.id, write.body, write.createdAt) : forget.run(write.id))
  }
}

/** A function that renames two collections, and says whether it did. */
function createReplace(
  db: Connection
): (collection: CollectionKey, by: CollectionKey, loads: BulkLoadWriter) => boolean {
  const differs = db
    .prepare<unknown[], number>(
      `
    SELECT EXISTS (
      SELECT 1 FROM record r
      WHERE r.collection = $old AND NOT EXISTS (
        SELECT 1 FROM record c
        WHERE c.collection = $new AND c.id = r.id AND c.updated_at = r.updated_at
          AND c.created_at = r.created_at
      )
    ) OR (SELECT count(*) FROM record WHERE collection = $old)
      <> (SELECT count(*) FROM record WHERE collection = $new)`
    )
    .pluck()
  const rename = db.prepare('UPDATE collection SET name = ? WHERE id = ?')
  // What could be changed meanwhile, and its age, are the collection's own.
  const inherit = db.prepare(
    'UPDATE collection AS c SET hnsw = o.hnsw, storage = o.storage, created_at = o.created_at FROM ' +
      'collection o WHERE c.id = ? AND o.id = ?'
  )
  return ({ id, name }, by, loads) => {
    if (differs.get({ old: id, new: by.id })) return false
    rename.run(replacedName(name, id), id)
    rename.run(name, by.id)
    inherit.run(by.id, id)
    loads.move(id, by.id)
    return true
  }
}

/** A function that gives a collection its name, and answers with the one that had it. */
function createInstate(
  db: Connection
): (write: Extract<Write, { kind: 'instate' }>) => CollectionKey | undefined {
  const find = db.prepare<[string], CollectionKey>('SELECT id, name FROM collection WHERE name = ?')
  const rename = db.prepare('UPDATE collection SET name = ? WHERE id = ?')
  const setAge = db.prepare('UPDATE collection SET created_at = ? WHERE id = ?')
  return ({ collection, name, createdAt, mayReplace }) => {
    const displaced = find.get(name)
    if (displaced && !mayReplace) throw new CollectionExists(name)
    if (displaced) rename.run(replacedName(name, displaced.id), displaced.id)
    rename.run(name, collection.id)
    setAge.run(createdAt, collection.id)
    return displaced
  }
}
