import type { CollectionSettings, Modality, StoredCollection, StoredRecord } from '../record.js'
import type { ComparedRecord, RecordPage, RecordVersion } from '../stores/record-page.js'
import { createBulkLoadReader, type BulkLoadReader } from './bulk-loads.js'
import { createClassifierReader, type ClassifierReader } from './classifiers.js'
import type { Connection } from './connection.js'

/** Counts of a collection; `imageBytes` are those of the kept images. */
export interface CollectionCounts {
  records: number
  imageBytes: number
}

export interface StoredEmbedding {
  label: number
  /** The key of its record. */
  key: number
  collection: number
  modality: Modality
  vector: Float32Array
}

/**
 * The questions that are put to a store. Records that have expired are not there, but in the counts, in what
 * indexes are made from and in comparisons: there they are until the sweep.
 */
export interface StoreReader extends BulkLoadReader, ClassifierReader {
  collections(): StoredCollection[]
  counts(collection: number): CollectionCounts | undefined
  record(collection: number, id: string): StoredRecord<string> | undefined
  /** The record that an embedding belongs to. */
  recordByLabel(label: number): StoredRecord<string> | undefined
  recordByKey(key: number): StoredRecord<string> | undefined
  idByLabel(label: number): string | undefined
  idByKey(key: number): string | undefined
  keyById(collection: number, id: string): number | undefined
  /** A record's id, and when it was last changed. */
  versionByKey(key: number): RecordVersion | undefined
  /** The highest label ever given. */
  highestLabel(): number
  /** Runs reads that must see one state of the store. */
  atOnce<T>(read: () => T): T
  /** Records in the order of their ids, those that pass. */
  page(collection: number, page: RecordPage, passes?: (key: number) => boolean): StoredRecord<string>[]
  /** All embeddings, or those of one collection and modality, in the order of their labels, one at a time. */
  embeddings(of?: { collection: number; modality: Modality }): Iterable<StoredEmbedding>
  embeddingsOf(collection: number, id: string): Partial<Record<Modality, Float32Array>>
  /** The metadata of all records as JSON, one at a time. */
  allMetadata(): Iterable<{ key: number; collection: number; metadata: string | null }>
  isImageReferred(sha256: string): boolean
  /** Whether any record has a kept image. */
  hasImages(): boolean
  /**
   * Records of a collection after an id, in the order of their ids, compared with their copies in another.
   */
  compare(collection: number, other: number, page: RecordPage): ComparedRecord[]
  /**
   * Ids after an id that a collection has and another has not, among the next `limit`; with the last one
   * looked at.
   */
  extra(collection: number, other: number, page: RecordPage): { ids: string[]; last?: string }
  jobs(): string[]
}

interface CollectionRow extends Omit<CollectionSettings, 'hnsw'> {
  id: number
  hnsw: string
  createdAt: number
}

interface RecordRow {
  id: string
  text: string | null
  metadata: string | null
  sha256: string | null
  type: string | null
  modalities: string | null
  createdAt: number
  updatedAt: number
  expiresAt: number | null
}

/** Whether a record is there at a time, the last parameter of a statement. */
const PRESENT = '(r.expires_at IS NULL OR r.expires_at > ?)'
const RECORD = `
  SELECT r.id, r.text, r.metadata, r.image_sha256 AS sha256, r.image_type AS type, r.created_at AS createdAt,
    r.updated_at AS updatedAt, r.expires_at AS expiresAt,
    (SELECT group_concat(modality) FROM embedding WHERE record = r.key) AS modalities
  FROM record r`

/** Prepares the statements of a reader; `now` is the clock, in milliseconds since 1970. */
export function createStoreReader(db: Connection, now: () => number = Date.now): StoreReader {
  const collections = db.prepare<[], CollectionRow>(
    'SELECT id, name, model, fingerprint, dimension, hnsw, storage, created_at AS createdAt FROM ' +
      'collection ORDER BY name'
  )
  const counts = db.prepare<[number], CollectionCounts>(
    'SELECT records, image_bytes AS imageBytes FROM collection WHERE id = ?'
  )
  const record = db.prepare<[number, string, number], RecordRow>(
    `${RECORD} WHERE r.collection = ? AND r.id = ? AND ${PRESENT}`
  )
  const recordByLabel = db.prepare<[number, number], RecordRow>(
    `${RECORD} WHERE r.key = (SELECT record FROM embedding WHERE label = ?) AND ${PRESENT}`
  )
  const recordByKey = db.prepare<[number, number], RecordRow>(`${RECORD} WHERE r.key = ? AND ${PRESENT}`)
  const idByLabel = db
    .prepare<[number, number], string>(
      `SELECT r.id FROM embedding e JOIN record r ON r.key = e.record WHERE e.label = ? AND ${PRESENT}`
    )
    .pluck()
  const idByKey = db
    .prepare<[number, number], string>(`SELECT r.id FROM record r WHERE r.key = ? AND ${PRESENT}`)
    .pluck()
  const keyById = db
    .prepare<[number, string, number], number>(
      `SELECT r.key FROM record r WHERE r.collection = ? AND r.id = ? AND ${PRESENT}`
    )
    .pluck()
  const versionByKey = db.prepare<[number, number], RecordVersion>(
    `SELECT r.id, r.updated_at AS updatedAt FROM record r WHERE r.key = ? AND ${PRESENT}`
  )
  const highestLabel = db
    .prepare<[], number>("SELECT seq FROM sqlite_sequence WHERE name = 'embedding'")
    .pluck()
  const keysAfter = db
    .prepare<[number, string, number], number>(
      `SELECT r.key FROM record r WHERE r.collection = ? AND r.id > ? AND ${PRESENT} ORDER BY r.id`
    )
    .pluck()
  const allMetadata = db.prepare<[], { key: number; collection: number; metadata: string | null }>(
    'SELECT key, collection, metadata FROM record'
  )
  const embeddingsOf = db.prepare<[number, string, number], { modality: Modality; vector: Buffer }>(
    'SELECT modality, vector FROM embedding WHERE record = (SELECT r.key FROM record r WHERE ' +
      `r.collection = ? AND r.id = ? AND ${PRESENT})`
  )
  const embeddings = embeddingReads(db)
  const anyImage = db
    .prepare<[], number>('SELECT 1 FROM record WHERE image_sha256 IS NOT NULL LIMIT 1')
    .pluck()
  const isImageReferred = db
    .prepare<[string], number>('SELECT 1 FROM record WHERE image_sha256 = ? LIMIT 1')
    .pluck()
  const jobs = db.prepare<[], string>('SELECT body FROM job ORDER BY created_at').pluck()
  return {
    collections: () => collections.all().map((row) => ({ ...row, hnsw: JSON.parse(row.hnsw) })),
    counts: (collection) => counts.get(collection),
    record: (collection, id) => toRecord(record.get(collection, id, now())),
    recordByLabel: (label) => toRecord(recordByLabel.get(label, now())),
    recordByKey: (key) => toRecord(recordByKey.get(key, now())),
    idByLabel: (label) => idByLabel.get(label, now()),
    idByKey: (key) => idByKey.get(key, now()),
    keyById: (collection, id) => keyById.get(collection, id, now()),
    versionByKey: (key) => versionByKey.get(key, now()),
    highestLabel: () => highestLabel.get() ?? 0,
    atOnce: (read) => db.transaction(read)(),
    page: (collection, { limit, after = '' }, passes = () => true) => {
      const keys: number[] = []
      // One time for all: a page that is short of one would look like the last.
      const at = now()
      for (const key of keysAfter.iterate(collection, after, at)) {
        if (passes(key)) keys.push(key)
        if (keys.length === limit) break
      }
      return keys.flatMap((key) => toRecord(recordByKey.get(key, at)) ?? [])
    },
    embeddings,
    embeddingsOf: (collection, id) =>
      Object.fromEntries(
        embeddingsOf.all(collection, id, now()).map(({ modality, vector }) => [modality, toVector(vector)])
      ),
    allMetadata: () => allMetadata.iterate(),
    isImageReferred: (sha256) => isImageReferred.get(sha256) !== undefined,
    hasImages: () => anyImage.get() !== undefined,
    ...comparisons(db),
    ...createBulkLoadReader(db),
    ...createClassifierReader(db),
    jobs: () => jobs.all()
  }
}

/**
 * How a collection and the one that is to replace it differ. A copy has its original's times, which tell its
 * states apart.
 */
function comparisons(db: Connection): Pick<StoreReader, 'compare' | 'extra'> {
  type Row = Omit<ComparedRecord, 'modalities' | 'isCopied'> & { modalities: string | null; isCopied: number }
  const compare = db.prepare<unknown[], Row>(`
    SELECT r.key, r.id, r.text, r.image_sha256 AS image, r.updated_at AS updatedAt,
      (SELECT group_concat(modality) FROM embedding WHERE record = r.key) AS modalities,
      EXISTS (
        SELECT 1 FROM record c
        WHERE c.collection = ? AND c.id = r.id AND c.updated_at = r.updated_at
          AND c.created_at = r.created_at
      ) AS isCopied
    FROM record r WHERE r.collection = ? AND r.id > ? ORDER BY r.id LIMIT ?`)
  const extra = db.prepare<unknown[], { id: string; isExtra: number }>(`
    SELECT r.id, NOT EXISTS (SELECT 1 FROM record c WHERE c.collection = ? AND c.id = r.id) AS isExtra
    FROM record r WHERE r.collection = ? AND r.id > ? ORDER BY r.id LIMIT ?`)
  return {
    compare: (collection, other, { after = '', limit }) =>
      compare
        .all(other, collection, after, limit)
        .map(({ modalities, isCopied, ...row }) => ({
          ...row,
          modalities: (modalities?.split(',') ?? []) as Modality[],
          isCopied: isCopied === 1
        })),
    extra: (collection, other, { after = '', limit }) => {
      const rows = extra.all(other, collection, after, limit)
      return { ids: rows.filter(({ isExtra }) => isExtra === 1).map(({ id }) => id), last: rows.at(-1)?.id }
    }
  }
}

function embeddingReads(db: Connection): StoreReader['embeddings'] {
  // Lists, which the driver makes faster than objects.
  type Row = [label: number, key: number, collection: number, modality: Modality, vector: Buffer]
  const columns = 'SELECT label, record, collection, modality, vector FROM embedding'
  const all = db.prepare<[], Row>(`${columns} ORDER BY label`).raw()
  const some = db
    .prepare<[number, Modality], Row>(`${columns} WHERE collection = ? AND modality = ? ORDER BY label`)
    .raw()
  return function* (of) {
    for (const [label, key, collection, modality, vector] of of
      ? some.iterate(of.collection, of.modality)
      : all.iterate()) {
      yield { label, key, collection, modality, vector: toVector(vector) }
    }
  }
}

function toRecord(row: RecordRow | undefined): StoredRecord<string> | undefined {
  if (!row) return undefined
  return {
    id: row.id,
    text: row.text,
    metadata: row.metadata,
    modalities: (row.modalities?.split(',') ?? []) as Modality[],
    image: row.sha256 && row.type ? { sha256: row.sha256, type: row.type } : null,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    expiresAt: row.expiresAt
  }
}

/** A view, or a copy of what is not aligned to four bytes. */
function toVector({ buffer, byteOffset, byteLength }: Buffer): Float32Array {
  if (byteOffset % Float32Array.BYTES_PER_ELEMENT === 0)
    return new Float32Array(buffer as ArrayBuffer, byteOffset, byteLength / Float32Array.BYTES_PER_ELEMENT)
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer)
}
