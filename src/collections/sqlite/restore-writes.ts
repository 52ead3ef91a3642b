import { BackupInvalid } from '../../errors.js'
import type { RestoredEmbedding, RestoredRecord } from '../record.js'
import type { Connection } from './connection.js'
import { imageColumns } from './record-writes.js'
import type { Digested, RecordChange } from './record-change.js'

/** Writes of what a backup holds, inside a transaction of the caller. */
export interface RestoreWriter {
  /** Adds a record with its times, and without embeddings. Throws BACKUP_INVALID when its id is there. */
  addRecord(collection: number, record: Digested<RestoredRecord>): RecordChange
  /**
   * Adds an embedding to a record. Throws BACKUP_INVALID when there is no such record, or when it has one.
   */
  addEmbedding(collection: number, embedding: RestoredEmbedding): RecordChange
}

/** Prepares the statements. */
export function createRestoreWriter(db: Connection): RestoreWriter {
  const insertRecord = db.prepare<unknown[], { key: number }>(`
    INSERT INTO record (collection, id, text, metadata, image_sha256, image_type, image_bytes, expires_at,
      created_at, updated_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (collection, id) DO NOTHING RETURNING key`)
  const find = db
    .prepare<[number, string], number>('SELECT key FROM record WHERE collection = ? AND id = ?')
    .pluck()
  const insertEmbedding = db.prepare<unknown[], { label: number }>(`
    INSERT INTO embedding (collection, record, modality, vector) VALUES (?, ?, ?, ?)
    ON CONFLICT (record, modality) DO NOTHING RETURNING label`)
  return {
    addRecord: (collection, { id, text, metadata, image, expiresAt, createdAt, updatedAt }) => {
      const { sha256, type, bytes } = imageColumns(image)
      const row = insertRecord.get(
        collection,
        id,
        text,
        metadata,
        sha256,
        type,
        bytes,
        expiresAt,
        createdAt,
        updatedAt
      )
      if (!row) throw new BackupInvalid(`it holds the record '${id}' twice`)
      return { key: row.key, existed: false, gone: false, metadata, added: [], removed: [] }
    },
    addEmbedding: (collection, { id, modality, vector }) => {
      const key = find.get(collection, id)
      if (key === undefined) throw new BackupInvalid(`it holds an embedding of '${id}', and no such record`)
      const row = insertEmbedding.get(
        collection,
        key,
        modality,
        Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength)
      )
      if (!row) throw new BackupInvalid(`it holds two ${modality} embeddings of '${id}'`)
      return {
        key,
        existed: true,
        gone: false,
        metadata: null,
        added: [{ label: row.label, modality }],
        removed: []
      }
    }
  }
}
