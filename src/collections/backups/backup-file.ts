import { closeSync, openSync, readSync } from 'node:fs'
import SQLite from 'better-sqlite3'
import { BackupInvalid, BackupTooNew } from '../../errors.js'
import type { Connection } from '../sqlite/connection.js'

/** "SBLB" in SQLite's header: what `file` and others tell a backup by. */
const APPLICATION_ID = 0x53424c42

/**
 * The schemas of the backup format, by version, the first one being 1; `PRAGMA user_version` has the version.
 * One that was released is never changed: a file is only read if its schema is to the letter what its version
 * made.
 *
 * Rows keep the order of the store's keys and labels, which ties between equal scores are broken by.
 */
const SCHEMAS = [
  `
  CREATE TABLE backup (
    service TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    collection TEXT NOT NULL,
    collection_created_at INTEGER NOT NULL,
    model TEXT,
    fingerprint TEXT,
    dimension INTEGER NOT NULL,
    m INTEGER NOT NULL,
    ef_construction INTEGER NOT NULL,
    ef_search INTEGER NOT NULL,
    storage TEXT NOT NULL,
    records INTEGER NOT NULL,
    embeddings INTEGER NOT NULL,
    images INTEGER NOT NULL,
    lost_images INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE record (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    text TEXT,
    metadata TEXT,
    image_sha256 TEXT,
    image_type TEXT,
    expires_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE embedding (
    label INTEGER PRIMARY KEY,
    record INTEGER NOT NULL,
    modality TEXT NOT NULL,
    vector BLOB NOT NULL
  ) STRICT;

  CREATE TABLE image (
    sha256 TEXT NOT NULL UNIQUE,
    bytes BLOB NOT NULL
  ) STRICT;
  `
]

/** A record as both sides of a backup have it: the store that it is made of, and the file. */
export interface RecordRow {
  key: number
  id: string
  text: string | null
  metadata: string | null
  sha256: string | null
  type: string | null
  expiresAt: number | null
  createdAt: number
  updatedAt: number
}

/** The version of the format that is written. */
export const BACKUP_FORMAT = SCHEMAS.length

/** Larger pages suit rows that are mostly blobs. */
const PAGE_BYTES = 16_384

/** Makes an empty backup. Nothing of it is durable until it is synced: a half one is thrown away anyway. */
export function createBackupFile(path: string): Connection {
  const db = new SQLite(path)
  try {
    db.pragma(`page_size = ${PAGE_BYTES}`)
    db.pragma('journal_mode = OFF')
    db.pragma('synchronous = OFF')
    db.pragma(`application_id = ${APPLICATION_ID}`)
    db.pragma(`user_version = ${BACKUP_FORMAT}`)
    db.exec(SCHEMAS[BACKUP_FORMAT - 1])
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/**
 * Opens a file that may come from anybody, to read. Throws BACKUP_INVALID for what is no backup, or has
 * anything in its schema that no backup has (a trigger, a view in place of a table), and BACKUP_TOO_NEW.
 */
export function openBackupFile(path: string): Connection {
  const version = requireBackup(readHeader(path))
  try {
    const db = new SQLite(path, { readonly: true, fileMustExist: true })
    try {
      for (const setting of ['trusted_schema = OFF', 'cell_size_check = ON', 'mmap_size = 0'])
        db.pragma(setting)
      if (schemaOf(db) !== expectedSchema(version))
        throw new BackupInvalid('its tables are not those of a backup')
      return db
    } catch (error) {
      db.close()
      throw error
    }
  } catch (error) {
    throw damage(error)
  }
}

/** What an error of SQLite over a damaged file means; other errors come back as they are. */
export function damage(error: unknown): unknown {
  const { code = '' } = error as { code?: string }
  return /^SQLITE_(CORRUPT|NOTADB|FORMAT|ERROR|TOOBIG|MISMATCH|CANTOPEN)/.test(code)
    ? Object.assign(new BackupInvalid(`it is damaged (${(error as Error).message})`), { cause: error })
    : error
}

const HEADER_BYTES = 100
const MAGIC = 'SQLite format 3\0'
/**
 * Where the header has what is looked at before SQLite is:
 * https://www.sqlite.org/fileformat.html#the_database_header.
 */
const AT = { writeVersion: 18, readVersion: 19, userVersion: 60, applicationId: 68 }
/** The version of a file that is not in WAL mode, and so needs no other file beside it. */
const ROLLBACK = 1

function readHeader(path: string): Buffer {
  const header = Buffer.alloc(HEADER_BYTES)
  const file = openSync(path, 'r')
  try {
    return header.subarray(0, readSync(file, header, 0, HEADER_BYTES, 0))
  } finally {
    closeSync(file)
  }
}

/** The format version of the backup that has this header. */
function requireBackup(header: Buffer): number {
  if (header.length < HEADER_BYTES || header.toString('latin1', 0, MAGIC.length) !== MAGIC)
    throw new BackupInvalid('it is not an SQLite database')
  if (header.readUInt32BE(AT.applicationId) !== APPLICATION_ID)
    throw new BackupInvalid('it is an SQLite database, but not a backup')
  const version = header.readUInt32BE(AT.userVersion)
  if (version > BACKUP_FORMAT) throw new BackupTooNew(version, BACKUP_FORMAT)
  if (version < 1) throw new BackupInvalid(`it has format ${version}, which does not exist`)
  if (header[AT.writeVersion] !== ROLLBACK || header[AT.readVersion] !== ROLLBACK)
    throw new BackupInvalid('it was changed after it was written (it is in WAL mode)')
  return version
}

function schemaOf(db: Connection): string {
  return JSON.stringify(
    db.prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name').raw().all()
  )
}

function expectedSchema(version: number): string {
  const db = new SQLite(':memory:')
  try {
    db.exec(SCHEMAS[version - 1])
    return schemaOf(db)
  } finally {
    db.close()
  }
}

/** When the collection was created that a backup made here is of. */
export function collectionCreatedAt(path: string): number {
  const db = new SQLite(path, { readonly: true, fileMustExist: true })
  try {
    return db.prepare<[], number>('SELECT collection_created_at FROM backup').pluck().get()!
  } finally {
    db.close()
  }
}
