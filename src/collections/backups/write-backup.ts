import { readFileSync } from 'node:fs'
import { CollectionNotFound } from '../../errors.js'
import { imageDigest, imagePath } from '../image-files.js'
import type { StoredCollection } from '../record.js'
import type { Connection } from '../sqlite/connection.js'
import { createStoreReader } from '../sqlite/reads.js'
import { createBackupFile, type RecordRow } from './backup-file.js'

/** What a backup holds. */
export interface BackupCounts {
  records: number
  embeddings: number
  images: number
  /**
   * Images that the store refers to and whose file is gone or damaged: their records are there without them.
   */
  lostImages: number
}

/** What a backup is of. */
export interface BackupSource extends BackupCounts {
  collection: StoredCollection
  /** Milliseconds since 1970: the moment that the backup shows. */
  createdAt: number
}

export interface WriteBackupOptions {
  dataDir: string
  /** Name of the collection. */
  collection: string
  /** The file to make. */
  path: string
  /** The version of the service, which is noted. */
  service: string
  isStopped: () => boolean
  onProgress: (progress: { done: number; total: number }) => void
}

const REPORT_EVERY = 500

/**
 * Writes a collection as it is at one moment into a new file, which is not synced yet: one read transaction
 * sees all of it, while others write on. Kept images must be held meanwhile. Throws COLLECTION_NOT_FOUND, the
 * system's error, or an Error when it was stopped.
 */
export function writeBackup(db: Connection, options: WriteBackupOptions): BackupSource {
  const store = createStoreReader(db)
  const file = createBackupFile(options.path)
  try {
    return db.transaction(() => {
      // The first read opens the transaction's view, so that nothing committed after this moment is in it.
      const collection = store.collections().find(({ name }) => name === options.collection)
      if (!collection) throw new CollectionNotFound(options.collection)
      const source = { collection, createdAt: Date.now() }
      file.exec('BEGIN')
      const counts = {
        ...copyRecords(db, file, { ...options, source }),
        embeddings: copyEmbeddings(db, file, { ...options, source })
      }
      describe(file, { ...source, ...counts }, options.service)
      file.exec('COMMIT')
      return { ...source, ...counts }
    })()
  } finally {
    file.close()
  }
}

type CopyOptions = Pick<WriteBackupOptions, 'dataDir' | 'isStopped' | 'onProgress'> & {
  source: Pick<BackupSource, 'collection'>
}

function copyRecords(
  db: Connection,
  file: Connection,
  { dataDir, isStopped, onProgress, source: { collection } }: CopyOptions
): Omit<BackupCounts, 'embeddings'> {
  // In the order of keys without sorting: the index by id would have whole rows sorted.
  const rows = db.prepare<[number], RecordRow>(`
    SELECT key, id, text, metadata, image_sha256 AS sha256, image_type AS type, expires_at AS expiresAt,
      created_at AS createdAt, updated_at AS updatedAt
    FROM record NOT INDEXED WHERE collection = ? ORDER BY key`)
  const insert = file.prepare(
    'INSERT INTO record (key, id, text, metadata, image_sha256, image_type, expires_at, created_at, ' +
      'updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)'
  )
  const images = imageCopier(file, dataDir)
  const total = createStoreReader(db).counts(collection.id)?.records ?? 0
  let records = 0
  for (const { key, id, text, metadata, sha256, type, expiresAt, createdAt, updatedAt } of rows.iterate(
    collection.id
  )) {
    if (isStopped()) throw new Error('The backup was stopped.')
    const isKept = sha256 !== null && images.copy(sha256)
    insert.run(
      key,
      id,
      text,
      metadata,
      isKept ? sha256 : null,
      isKept ? type : null,
      expiresAt,
      createdAt,
      updatedAt
    )
    if (++records % REPORT_EVERY === 0) onProgress({ done: records, total })
  }
  return { records, images: images.copied, lostImages: images.lost.size }
}

/** Copies images into the backup, each once. */
function imageCopier(file: Connection, dataDir: string) {
  const has = file.prepare<[string], number>('SELECT 1 FROM image WHERE sha256 = ?').pluck()
  const insert = file.prepare('INSERT INTO image (sha256, bytes) VALUES (?, ?)')
  const copier = {
    copied: 0,
    lost: new Set<string>(),
    /** Returns whether the image is in the backup now; one that is gone or damaged is not. */
    copy: (sha256: string): boolean => {
      if (has.get(sha256) !== undefined) return true
      const bytes = readIfThere(imagePath(dataDir, sha256))
      if (!bytes || imageDigest(bytes) !== sha256) {
        copier.lost.add(sha256)
        return false
      }
      insert.run(sha256, bytes)
      copier.copied++
      return true
    }
  }
  return copier
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function copyEmbeddings(
  db: Connection,
  file: Connection,
  { isStopped, source: { collection } }: CopyOptions
): number {
  type Row = [label: number, record: number, modality: string, vector: Buffer]
  const rows = db
    .prepare<[number], Row>(
      'SELECT label, record, modality, vector FROM embedding WHERE collection = ? ORDER BY label'
    )
    .raw()
  const insert = file.prepare('INSERT INTO embedding (label, record, modality, vector) VALUES (?, ?, ?, ?)')
  let embeddings = 0
  for (const row of rows.iterate(collection.id)) {
    if (isStopped()) throw new Error('The backup was stopped.')
    insert.run(...row)
    embeddings++
  }
  return embeddings
}

function describe(
  file: Connection,
  { collection, createdAt, records, embeddings, images, lostImages }: BackupSource,
  service: string
): void {
  const { name, model, fingerprint, dimension, hnsw, storage } = collection
  file
    .prepare('INSERT INTO backup VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
    .run(
      service,
      createdAt,
      name,
      collection.createdAt,
      model,
      fingerprint,
      dimension,
      hnsw.m,
      hnsw.efConstruction,
      hnsw.efSearch,
      storage,
      records,
      embeddings,
      images,
      lostImages
    )
}
