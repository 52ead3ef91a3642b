import { existsSync, renameSync } from 'node:fs'
import SQLite from 'better-sqlite3'

export interface EmbeddingRow {
  /** Of the key that it is found by. */
  hash: Buffer
  /** Float32. */
  vector: Buffer
  crc: number
}

/** A file of embeddings. Only this file knows the driver. */
export interface EmbeddingFile {
  /** Of the model whose embeddings it has. */
  fingerprint: string
  read(hash: Buffer): { vector: Buffer; crc: number } | undefined
  /** In one transaction; what is there is replaced. */
  write(rows: EmbeddingRow[]): void
  /** Removes those that were written first, until the rest takes no more than so many bytes. */
  trim(maxBytes: number): void
  close(): void
}

/** What another process may hold the file for. */
const BUSY_MS = 10_000
/** Files that SQLite keeps beside its own. */
const SUFFIXES = ['', '-wal', '-shm']

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS model (fingerprint TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS embedding (hash BLOB PRIMARY KEY, vector BLOB NOT NULL, crc INTEGER NOT NULL)`

/**
 * Opens the file, or begins it for a model; '' is a temporary one. A kill loses nothing that was written; a
 * power cut may.
 */
export function openEmbeddingFile(path: string, fingerprint: string): EmbeddingFile {
  const db = new SQLite(path, { timeout: BUSY_MS })
  try {
    // Before there are tables: files that are older keep the room of what is removed for what comes.
    db.pragma('auto_vacuum = INCREMENTAL')
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = NORMAL')
    return prepared(db, fingerprint)
  } catch (error) {
    db.close()
    throw error
  }
}

function prepared(db: SQLite.Database, asked: string): EmbeddingFile {
  const begin = db.transaction(() => {
    db.exec(SCHEMA)
    db.prepare('INSERT INTO model SELECT ? WHERE NOT EXISTS (SELECT 1 FROM model)').run(asked)
    return db.prepare<[], string>('SELECT fingerprint FROM model').pluck().get()!
  })
  const fingerprint = begin.immediate()
  const read = db.prepare<[Buffer], { vector: Buffer; crc: number }>(
    'SELECT vector, crc FROM embedding WHERE hash = ?'
  )
  const insert = db.prepare('INSERT OR REPLACE INTO embedding (hash, vector, crc) VALUES (?, ?, ?)')
  const write = db.transaction((rows: EmbeddingRow[]) =>
    rows.forEach(({ hash, vector, crc }) => insert.run(hash, vector, crc))
  )
  return {
    fingerprint,
    read: (hash) => read.get(hash),
    write: (rows) => write.immediate(rows),
    trim: (maxBytes) => trim(db, maxBytes),
    close: () => void db.close()
  }
}

function trim(db: SQLite.Database, maxBytes: number): void {
  const pragma = (name: string) => Number(db.pragma(name, { simple: true }))
  const used = () => (pragma('page_count') - pragma('freelist_count')) * pragma('page_size')
  const count = db.prepare<[], number>('SELECT count(*) FROM embedding').pluck()
  // Rows are numbered as they come.
  const remove = db.prepare(
    'DELETE FROM embedding WHERE rowid IN (SELECT rowid FROM embedding ORDER BY rowid LIMIT ?)'
  )
  // All of one model are of one size, but the pages of their hashes empty late, so that it may take more than
  // one turn.
  for (
    let bytes = used(), rows = count.get()!;
    bytes > maxBytes && rows > 0;
    bytes = used(), rows = count.get()!
  )
    remove.run(Math.ceil(rows * (1 - maxBytes / bytes)))
  db.pragma('incremental_vacuum')
}

/** Whether an error says that a file is not what it should be, rather than that it can't be had. */
export function isDamage(error: unknown): boolean {
  const { code = '' } = error as { code?: string }
  return /^SQLITE_(CORRUPT|NOTADB|ERROR)/.test(code)
}

/**
 * Renames a file, so that it can be looked at and is in nobody's way; returns its new name. Who has it open
 * goes on with it.
 */
export function setAside(path: string): string {
  const aside = `${path}.damaged-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`
  for (const suffix of SUFFIXES) if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix)
  return aside
}
