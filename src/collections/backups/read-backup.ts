import { BackupInvalid } from '../../errors.js'
import { isShallow, MAX_METADATA_DEPTH } from '../../json/depth.js'
import { imageDigest } from '../image-files.js'
import {
  MODALITIES,
  type CollectionSettings,
  type ImageStorage,
  type Modality,
  type RestoredEmbedding,
  type RestoredRecord
} from '../record.js'
import type { Connection } from '../sqlite/connection.js'
import { damage, openBackupFile, type RecordRow } from './backup-file.js'

/** What a backup says of itself, and what was found to be so. */
export interface BackupContent {
  collection: CollectionSettings
  collectionCreatedAt: number
  createdAt: number
  records: number
  embeddings: number
}

/**
 * Rows after a key: the next ones, and the key that those after them come after; undefined where there are
 * none.
 */
export interface BackupPage<Row> {
  rows: Row[]
  after?: number
}

/** A backup that may come from anybody, open and looked through. Its reads throw BACKUP_INVALID. */
export interface BackupReader {
  content: BackupContent
  /**
   * Records in their order; what JSON can't tell of them (ids, texts, metadata, images) is for the caller to
   * judge.
   */
  records(after: number): BackupPage<RestoredRecord>
  embeddings(after: number): BackupPage<RestoredEmbedding>
  close(): void
}

const PAGE = 500
/** Bytes of images and texts in one page, unless it is a single record. */
const PAGE_BYTES = 8 << 20
/** Largest text, id or metadata that is read at all, in bytes: more than any request brings. */
const MAX_TEXT_BYTES = 64 << 20
/** Latest time that JavaScript knows: https://tc39.es/ecma262/#sec-time-values-and-time-range. */
const MAX_TIME = 8.64e15
/** How far from 1 the norm of an L2-normalised embedding of 32-bit floats may be. */
const NORM_TOLERANCE = 1e-3

/**
 * Opens a backup and looks through it: its pages, its counts, the lengths of what it holds. Throws
 * BACKUP_INVALID with what is wrong, BACKUP_TOO_NEW.
 */
export function readBackup(path: string, limits: { maxImageBytes: number }): BackupReader {
  const db = openBackupFile(path)
  try {
    const content = readContent(db)
    requireSound(db, content, limits)
    const guarded =
      <A, R>(read: (argument: A) => R) =>
      (argument: A): R => {
        try {
          return read(argument)
        } catch (error) {
          throw damage(error)
        }
      }
    return {
      content,
      records: guarded(recordReads(db)),
      embeddings: guarded(embeddingReads(db, content.collection.dimension)),
      close: () => void db.close()
    }
  } catch (error) {
    db.close()
    throw damage(error)
  }
}

interface BackupRow {
  createdAt: number
  name: string
  collectionCreatedAt: number
  model: string | null
  fingerprint: string | null
  dimension: number
  m: number
  efConstruction: number
  efSearch: number
  storage: ImageStorage
  records: number
  embeddings: number
}

function readContent(db: Connection): BackupContent {
  const rows = db
    .prepare<[], BackupRow>(
      `
    SELECT created_at AS createdAt, collection AS name, collection_created_at AS collectionCreatedAt,
      model, fingerprint, dimension, m, ef_construction AS efConstruction, ef_search AS efSearch, storage,
      records, embeddings
    FROM backup LIMIT 2`
    )
    .all()
  if (rows.length !== 1) throw new BackupInvalid('it does not name its collection')
  const {
    createdAt,
    name,
    collectionCreatedAt,
    model,
    fingerprint,
    dimension,
    m,
    efConstruction,
    efSearch,
    storage,
    records,
    embeddings
  } = rows[0]
  for (const time of [createdAt, collectionCreatedAt]) requireTime(time)
  return {
    collection: { name, model, fingerprint, dimension, hnsw: { m, efConstruction, efSearch }, storage },
    collectionCreatedAt,
    createdAt,
    records,
    embeddings
  }
}

/**
 * Whether SQLite finds its pages in order, and each table has what it should and nothing that is too large to
 * read.
 */
function requireSound(
  db: Connection,
  { collection: { dimension, model }, ...counts }: BackupContent,
  { maxImageBytes }: { maxImageBytes: number }
): void {
  const [fault] = db.pragma('quick_check(1)') as { quick_check: string }[]
  if (fault.quick_check !== 'ok') throw new BackupInvalid(`it is damaged (${fault.quick_check})`)
  const one = (sql: string, ...values: unknown[]) =>
    db
      .prepare<unknown[], number>(sql)
      .pluck()
      .get(...values)!
  const faults: [string, number][] = [
    [
      'it has a record key that a store never assigns',
      one('SELECT count(*) FROM record WHERE key < 1') + one('SELECT count(*) FROM embedding WHERE label < 1')
    ],
    ['some of its records are missing', Math.abs(one('SELECT count(*) FROM record') - counts.records)],
    [
      'some of its embeddings are missing',
      Math.abs(one('SELECT count(*) FROM embedding') - counts.embeddings)
    ],
    [
      'a record has an id, a text or metadata of invalid length',
      one(
        'SELECT count(*) FROM record WHERE octet_length(id) > $max OR octet_length(text) > $max OR ' +
          'octet_length(metadata) > $max OR octet_length(image_type) > $max',
        { max: MAX_TEXT_BYTES }
      )
    ],
    [
      `an embedding does not have ${dimension} dimensions`,
      one(
        'SELECT count(*) FROM embedding WHERE length(vector) <> ?',
        dimension * Float32Array.BYTES_PER_ELEMENT
      )
    ],
    // Of a model's, a re-index may have left some out.
    [
      'a record has no embedding',
      model === null ? one('SELECT count(*) FROM record WHERE key NOT IN (SELECT record FROM embedding)') : 0
    ],
    [
      `an image has more than ${maxImageBytes} bytes (MAX_IMAGE_MIB)`,
      one('SELECT count(*) FROM image WHERE length(bytes) > ?', maxImageBytes)
    ]
  ]
  for (const [reason, count] of faults) if (count > 0) throw new BackupInvalid(reason)
}

function requireTime(time: number): void {
  if (!Number.isInteger(time) || time < 0 || time > MAX_TIME)
    throw new BackupInvalid(`it has an invalid time (${time})`)
}

interface ImagedRow extends RecordRow {
  bytes: Buffer | null
}

function recordReads(db: Connection): BackupReader['records'] {
  const rows = db.prepare<[number], ImagedRow>(`
    SELECT r.key, r.id, r.text, r.metadata, r.image_sha256 AS sha256, r.image_type AS type, i.bytes,
      r.expires_at AS expiresAt, r.created_at AS createdAt, r.updated_at AS updatedAt
    FROM record r LEFT JOIN image i ON i.sha256 = r.image_sha256 WHERE r.key > ? ORDER BY r.key`)
  return (after) => {
    const page: BackupPage<RestoredRecord> = { rows: [] }
    let bytes = 0
    for (const row of rows.iterate(after)) {
      page.rows.push(toRecord(row))
      page.after = row.key
      bytes += (row.bytes?.length ?? 0) + (row.text?.length ?? 0) + (row.metadata?.length ?? 0)
      if (page.rows.length === PAGE || bytes > PAGE_BYTES) break
    }
    return page
  }
}

function toRecord({
  id,
  text,
  metadata,
  sha256,
  type,
  bytes,
  expiresAt,
  createdAt,
  updatedAt
}: ImagedRow): RestoredRecord {
  for (const time of [createdAt, updatedAt, expiresAt ?? 0]) requireTime(time)
  if ((sha256 === null) !== (type === null))
    throw new BackupInvalid(`the image of '${id}' has a digest without a type, or a type without a digest`)
  const image =
    sha256 === null || type === null ? undefined : { bytes: requireImage(id, sha256, bytes), type }
  return {
    id,
    text,
    metadata: toMetadata(id, metadata),
    ...(image && { image }),
    expiresAt,
    createdAt,
    updatedAt
  }
}

function requireImage(id: string, sha256: string, bytes: Buffer | null): Buffer {
  if (!bytes) throw new BackupInvalid(`the image of '${id}' is missing`)
  if (imageDigest(bytes) !== sha256) throw new BackupInvalid(`the image of '${id}' does not match its digest`)
  return bytes
}

/** The metadata of a record as JSON, once it is known to be an object of bounded depth. */
function toMetadata(id: string, text: string | null): string | null {
  if (text === null) return null
  let metadata: unknown
  try {
    metadata = JSON.parse(text)
  } catch {
    metadata = undefined
  }
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata))
    throw new BackupInvalid(`the metadata of '${id}' is not a JSON object`)
  if (!isShallow(metadata, MAX_METADATA_DEPTH))
    throw new BackupInvalid(`the metadata of '${id}' is nested more than ${MAX_METADATA_DEPTH} levels deep`)
  return JSON.stringify(metadata)
}

function embeddingReads(db: Connection, dimension: number): BackupReader['embeddings'] {
  type Row = [label: number, id: string | null, modality: Modality, vector: Buffer]
  const rows = db
    .prepare<[number, number], Row>(
      `
    SELECT e.label, r.id, e.modality, e.vector
    FROM embedding e LEFT JOIN record r ON r.key = e.record
    WHERE e.label > ? ORDER BY e.label LIMIT ?`
    )
    .raw()
  return (after) => {
    const page = rows.all(after, PAGE)
    return {
      rows: page.map(([, id, modality, bytes]) => ({
        ...requireOwner(id, modality),
        vector: toVector(bytes, dimension)
      })),
      after: page.at(-1)?.[0]
    }
  }
}

function requireOwner(id: string | null, modality: Modality): Pick<RestoredEmbedding, 'id' | 'modality'> {
  if (id === null) throw new BackupInvalid('an embedding belongs to no record')
  if (!MODALITIES.includes(modality))
    throw new BackupInvalid(`'${id}' has an embedding of an unknown modality`)
  return { id, modality }
}

/** Scores are inner products: of what is not normalised they would be no cosines. */
function toVector(bytes: Buffer, dimension: number): Float32Array {
  // A copy, aligned, and of its own memory: the driver's buffers are slices of a pool.
  const vector = new Float32Array(dimension)
  new Uint8Array(vector.buffer).set(bytes)
  let squares = 0
  for (const value of vector) squares += value * value
  if (!(Math.abs(Math.sqrt(squares) - 1) <= NORM_TOLERANCE))
    throw new BackupInvalid('an embedding is not normalised')
  return vector
}

/** The name of the collection that a file is a backup of. Throws BACKUP_INVALID, BACKUP_TOO_NEW. */
export function backupCollection(path: string): string {
  const db = openBackupFile(path)
  try {
    return readContent(db).collection.name
  } catch (error) {
    throw damage(error)
  } finally {
    db.close()
  }
}
