import { RecordInvalid, RecordNotFound } from '../../errors.js'
import { isObject } from '../../json/is-object.js'
import {
  MAX_METADATA_BYTES,
  MODALITIES,
  type Modality,
  type RecordPatch,
  type RecordWrite,
  restoredName
} from '../record.js'
import type { Connection } from './connection.js'
import type { CollectionKey, Digested, RecordChange } from './record-change.js'

interface Row {
  key: number
  text: string | null
  metadata: string | null
  sha256: string | null
  type: string | null
  bytes: number
  expiresAt: number | null
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

/**
 * Writes of single records, inside a transaction of the caller. `released` collects images that are let go
 * of. A record that has expired is none to them, though its row is there until the sweep.
 */
export interface RecordWriter {
  upsert(collection: number, record: Digested<RecordWrite>, released: Set<string>): RecordChange
  /** Throws RECORD_NOT_FOUND, and RECORD_INVALID when nothing would be left to search by. */
  patch(
    collection: CollectionKey,
    write: { id: string; patch: Digested<RecordPatch> },
    released: Set<string>
  ): RecordChange
  /**
   * Copies a record into another collection with embeddings of its own, in place of an earlier copy, if the
   * record is still as it was at `updatedAt`; else nothing changes.
   */
  copy(collection: number, into: number, record: RecordCopy): RecordChange
  /** With `updatedAt`, only if it was not changed since. */
  remove(collection: number, record: { id: string; updatedAt?: number }, released: Set<string>): RecordChange
  /** Removes up to `limit` records of a collection, whichever. */
  clear(collection: number, limit: number, released: Set<string>): RecordChange[]
  /**
   * Removes the records that expired first, up to `limit` of them; by collection what that changed. What is
   * being restored keeps its own until it is whole: their embeddings come after them.
   */
  expire(limit: number, released: Set<string>): { collection: number; changes: RecordChange[] }[]
}

/** Prepares the statements that write records; `now` is the clock, in milliseconds since 1970. */
export function createRecordWriter(db: Connection, now: () => number): RecordWriter {
  const { find, insert, update, overwrite, remove, some, expired, unchanged } = recordStatements(db)
  const embeddings = embeddingWrites(db)
  const isPresent = ({ expiresAt }: Row) => expiresAt === null || expiresAt > now()
  // Now, and never the time of an earlier change, which what was read of the record is known by.
  const later = ({ updatedAt }: Row) => Math.max(now(), updatedAt + 1)
  const removeRow = ({ key, sha256 }: Pick<Row, 'key' | 'sha256'>, released: Set<string>): RecordChange => {
    const removed = embeddings.remove(key, MODALITIES)
    if (sha256) released.add(sha256)
    remove.run(key)
    return { key, existed: true, gone: true, metadata: null, added: [], removed }
  }

  return {
    upsert: (collection, record, released) => {
      const before = find.get(collection, record.id)
      const content = {
        text: record.text ?? null,
        metadata: record.metadata ?? null,
        expiresAt: record.expiresAt ?? null,
        ...imageColumns(record.image)
      }
      const removed = before ? embeddings.remove(before.key, MODALITIES) : []
      if (before?.sha256) released.add(before.sha256)
      const existed = before !== undefined && isPresent(before)
      if (existed) update.run(...columns(content), later(before), before.key)
      else if (before) overwrite.run(...columns(content), now(), later(before), before.key)
      const key = before?.key ?? insert.get(collection, record.id, ...columns(content), now(), now())!.key
      const added = embeddings.add({ collection, key }, record.embeddings)
      return { key, existed, gone: false, metadata: record.metadata ?? null, added, removed }
    },
    patch: ({ id: collection, name }, { id, patch }, released) => {
      const before = find.get(collection, id)
      if (!before || !isPresent(before)) throw new RecordNotFound(name, id)
      const { key } = before
      const merged = mergePatch(before.metadata === null ? null : JSON.parse(before.metadata), patch.metadata)
      const metadata = merged && JSON.stringify(merged)
      if (metadata && Buffer.byteLength(metadata) > MAX_METADATA_BYTES)
        throw new RecordInvalid('The merged metadata is larger than 64 KiB.')
      const removed = embeddings.remove(key, Object.keys(patch.embeddings) as Modality[])
      const added = embeddings.add({ collection, key }, patch.embeddings)
      if (removed.length > 0 && embeddings.count(key) === 0)
        throw new RecordInvalid(
          'The record would have neither an image nor a text; to remove it, delete the record.'
        )
      if (patch.image !== undefined && before.sha256) released.add(before.sha256)
      const image = patch.image === undefined ? before : imageColumns(patch.image)
      const { text = before.text, expiresAt = before.expiresAt } = patch
      update.run(...columns({ ...before, ...image, text, metadata, expiresAt }), later(before), key)
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
      return { key, existed: true, gone: false, metadata: row.metadata, added, removed }
    },
    remove: (collection, { id, updatedAt }, released) => {
      const before = find.get(collection, id)
      if (!before || (updatedAt !== undefined && before.updatedAt !== updatedAt)) return NOTHING
      return { ...removeRow(before, released), existed: isPresent(before) }
    },
    clear: (collection, limit, released) =>
      some.all(collection, limit).map((row) => removeRow(row, released)),
    expire: (limit, released) =>
      byCollection(expired.all(now(), limit)).map(({ collection, rows }) => ({
        collection,
        changes: rows.map((row) => removeRow(row, released))
      }))
  }
}

function byCollection<R extends { collection: number }>(rows: R[]): { collection: number; rows: R[] }[] {
  const collections = [...new Set(rows.map(({ collection }) => collection))]
  return collections.map((collection) => ({
    collection,
    rows: rows.filter((row) => row.collection === collection)
  }))
}

function columns({ text, metadata, sha256, type, bytes, expiresAt }: Content) {
  return [text, metadata, sha256, type, bytes, expiresAt]
}

/** What records are found and changed by. */
function recordStatements(db: Connection) {
  return {
    find: db.prepare<[number, string], Row>(
      'SELECT key, text, metadata, image_sha256 AS sha256, image_type AS type, image_bytes AS bytes, ' +
        'expires_at AS expiresAt, updated_at AS updatedAt FROM record WHERE collection = ? AND id = ?'
    ),
    insert: db.prepare<unknown[], { key: number }>(
      'INSERT INTO record (collection, id, text, metadata, image_sha256, image_type, image_bytes, ' +
        'expires_at, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING key'
    ),
    update: db.prepare(
      'UPDATE record SET text = ?, metadata = ?, image_sha256 = ?, image_type = ?, image_bytes = ?, ' +
        'expires_at = ?, updated_at = ? WHERE key = ?'
    ),
    overwrite: db.prepare(
      'UPDATE record SET text = ?, metadata = ?, image_sha256 = ?, image_type = ?, image_bytes = ?, ' +
        'expires_at = ?, created_at = ?, updated_at = ? WHERE key = ?'
    ),
    remove: db.prepare('DELETE FROM record WHERE key = ?'),
    some: db.prepare<[number, number], Pick<Row, 'key' | 'sha256'>>(
      'SELECT key, image_sha256 AS sha256 FROM record WHERE collection = ? LIMIT ?'
    ),
    expired: db.prepare<[number, number], Pick<Row, 'key' | 'sha256'> & { collection: number }>(
      `SELECT key, collection, image_sha256 AS sha256 FROM record
      WHERE expires_at <= ?
        AND collection NOT IN (SELECT id FROM collection WHERE name LIKE '%${restoredName('')}')
      ORDER BY expires_at LIMIT ?`
    ),
    unchanged: db.prepare<unknown[], Content & { id: string; createdAt: number }>(
      'SELECT id, text, metadata, image_sha256 AS sha256, image_type AS type, image_bytes AS bytes, ' +
        'expires_at AS expiresAt, created_at AS createdAt FROM record WHERE key = ? AND collection = ? ' +
        'AND updated_at = ?'
    )
  }
}

/** The columns of a kept image, or of none. */
export function imageColumns(image: Digested<RecordWrite>['image']): Pick<Row, 'sha256' | 'type' | 'bytes'> {
  return { sha256: image?.sha256 ?? null, type: image?.type ?? null, bytes: image?.bytes ?? 0 }
}

/** Embeddings are never changed: a new one gets a new row, whose key is its label. */
function embeddingWrites(db: Connection) {
  const insert = db.prepare<unknown[], { label: number }>(
    'INSERT INTO embedding (collection, record, modality, vector) VALUES (?, ?, ?, ?) RETURNING label'
  )
  const remove = db.prepare<[number, Modality], { label: number; modality: Modality }>(
    'DELETE FROM embedding WHERE record = ? AND modality = ? RETURNING label, modality'
  )
  const count = db.prepare<[number], number>('SELECT count(*) FROM embedding WHERE record = ?').pluck()
  return {
    count: (key: number) => count.get(key)!,
    remove: (key: number, modalities: Modality[]) =>
      modalities.flatMap((modality) => remove.all(key, modality)),
    add: (
      { collection, key }: { collection: number; key: number },
      vectors: Partial<Record<Modality, Float32Array | null>>
    ) =>
      (Object.entries(vectors) as [Modality, Float32Array | null][]).flatMap(([modality, vector]) => {
        if (!vector) return []
        const { label } = insert.get(
          collection,
          key,
          modality,
          Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength)
        )!
        return [{ label, modality }]
      })
  }
}

type Json = Record<string, unknown>

/**
 * An object after a JSON merge patch (RFC 7396): null removes a key, objects merge, all else replaces;
 * undefined changes nothing.
 */
function mergePatch(target: Json | null, patch: Json | null | undefined): Json | null {
  if (patch === undefined) return target
  if (patch === null) return null
  // A Map keeps keys such as __proto__ plain keys.
  const merged = new Map(Object.entries(target ?? {}))
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key)
    else merged.set(key, isObject(value) ? mergePatch(asObject(merged.get(key)), value) : value)
  }
  return Object.fromEntries(merged)
}

function asObject(value: unknown): Json | null {
  return isObject(value) ? value : null
}
