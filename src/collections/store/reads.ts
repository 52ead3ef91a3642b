import type { CollectionSettings, Modality, StoredCollection, StoredRecord } from '../record.js'
import type { Connection } from './connection.js'

/** Counts of a collection; `imageBytes` are those of the kept images. */
export interface CollectionCounts {
  records: number
  imageBytes: number
}

export interface StoredEmbedding {
  label: number
  collection: number
  modality: Modality
  vector: Float32Array
}

/** The questions that are put to a store. */
export interface StoreReader {
  collections(): StoredCollection[]
  counts(collection: number): CollectionCounts | undefined
  record(collection: number, id: string): StoredRecord | undefined
  /** The record that an embedding belongs to. */
  recordByLabel(label: number): StoredRecord | undefined
  countEmbeddings(): number
  /** All embeddings in the order of their labels, one at a time. */
  embeddings(): Iterable<StoredEmbedding>
  isImageReferred(sha256: string): boolean
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
}

const RECORD = `
  SELECT r.id, r.text, r.metadata, r.image_sha256 AS sha256, r.image_type AS type, r.created_at AS createdAt,
    r.updated_at AS updatedAt, (SELECT group_concat(modality) FROM embedding WHERE record = r.key) AS modalities
  FROM record r`

/** Prepares the statements of a reader. */
export function createStoreReader(db: Connection): StoreReader {
  const collections = db.prepare<[], CollectionRow>(
    'SELECT id, name, model, fingerprint, dimension, hnsw, storage, created_at AS createdAt FROM collection ORDER BY name'
  )
  const counts = db.prepare<[number], CollectionCounts>('SELECT records, image_bytes AS imageBytes FROM collection WHERE id = ?')
  const record = db.prepare<[number, string], RecordRow>(`${RECORD} WHERE r.collection = ? AND r.id = ?`)
  const recordByLabel = db.prepare<[number], RecordRow>(`${RECORD} WHERE r.key = (SELECT record FROM embedding WHERE label = ?)`)
  const countEmbeddings = db.prepare<[], number>('SELECT count(*) FROM embedding').pluck()
  const embeddings = db.prepare<[], Omit<StoredEmbedding, 'vector'> & { vector: Buffer }>('SELECT label, collection, modality, vector FROM embedding ORDER BY label')
  const isImageReferred = db.prepare<[string], number>('SELECT 1 FROM record WHERE image_sha256 = ? LIMIT 1').pluck()
  return {
    collections: () => collections.all().map((row) => ({ ...row, hnsw: JSON.parse(row.hnsw) })),
    counts: (collection) => counts.get(collection),
    record: (collection, id) => toRecord(record.get(collection, id)),
    recordByLabel: (label) => toRecord(recordByLabel.get(label)),
    countEmbeddings: () => countEmbeddings.get() ?? 0,
    *embeddings() {
      for (const row of embeddings.iterate()) yield { ...row, vector: toVector(row.vector) }
    },
    isImageReferred: (sha256) => isImageReferred.get(sha256) !== undefined
  }
}

function toRecord(row: RecordRow | undefined): StoredRecord | undefined {
  if (!row) return undefined
  return {
    id: row.id,
    text: row.text,
    metadata: row.metadata === null ? null : JSON.parse(row.metadata),
    modalities: (row.modalities?.split(',') ?? []) as Modality[],
    image: row.sha256 && row.type ? { sha256: row.sha256, type: row.type } : null,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt
  }
}

/** A copy: the driver's buffers are not aligned to four bytes. */
function toVector({ buffer, byteOffset, byteLength }: Buffer): Float32Array {
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer)
}
