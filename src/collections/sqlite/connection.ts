import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import SQLite from 'better-sqlite3'
import { MIGRATIONS } from './migrations.js'
import { explained, failureOf, isDamage } from './store-failure.js'

/** An open connection to the store. Only this file knows the driver. */
export type Connection = SQLite.Database

const STORE = 'semblance.db'
const LOCK = 'lock.db'
const storeFile = (dataDir: string) => join(dataDir, STORE)

/**
 * Opens the read-write connection: WAL, every commit synced, foreign keys on, schema brought up to date.
 * Throws when the store was written by a newer version, or when one of the settings did not take.
 */
export function openWriter(dataDir: string): Connection {
  return explained(dataDir, STORE, () => {
    const db = new SQLite(storeFile(dataDir))
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = FULL')
    db.pragma('foreign_keys = ON')
    assertSettings(db)
    migrate(db)
    return db
  })
}

/** What an error of SQLite's says of the store's file, and what to do; other errors come back as they are. */
export function storeFailure(error: unknown, dataDir: string): unknown {
  return failureOf(error, storeFile(dataDir))
}

/** The schema of this version. */
export const newestSchema = MIGRATIONS.length

/** Whether a data folder holds a store. */
export function storeExists(dataDir: string): boolean {
  return existsSync(storeFile(dataDir))
}

/** Opens a read-only connection to a store that exists. */
export function openReader(dataDir: string): Connection {
  return explained(
    dataDir,
    STORE,
    () => new SQLite(storeFile(dataDir), { readonly: true, fileMustExist: true })
  )
}

/**
 * The driver is compiled with synchronous=NORMAL for WAL, in which a power cut loses acknowledged commits.
 */
function assertSettings(db: Connection): void {
  const expected = { journal_mode: 'wal', synchronous: 2, foreign_keys: 1 }
  for (const [name, value] of Object.entries(expected)) {
    const actual = db.pragma(name, { simple: true })
    if (actual !== value)
      throw new Error(
        `The store's ${name} is ${actual}, not ${value}: the file system does not support what durable ` +
          'writes need.'
      )
  }
}

function migrate(db: Connection): void {
  const version = db.pragma('user_version', { simple: true }) as number
  if (version > MIGRATIONS.length) {
    throw new Error(
      `The store has schema ${version}, which a newer version wrote; this version knows schemas up to ` +
        `${MIGRATIONS.length}. Start the newer version, or restore the collections from backups.`
    )
  }
  db.transaction(() => {
    for (const step of MIGRATIONS.slice(version)) db.exec(step)
    db.pragma(`user_version = ${MIGRATIONS.length}`)
  }).exclusive()
}

/**
 * Takes the data folder for this process until the connection closes or the process ends, however it ends:
 * SQLite's lock on a file of its own (a pid file is stale after a kill, and in a container every process is
 * pid 1). Throws when another process has it, naming that.
 */
export function lockFolder(dataDir: string): Connection {
  explained(dataDir, '', () => mkdirSync(dataDir, { recursive: true }))
  const holderFile = join(dataDir, 'lock.holder')
  const lock = explained(dataDir, LOCK, () => new SQLite(join(dataDir, LOCK), { timeout: 0 }))
  try {
    lock.pragma('locking_mode = EXCLUSIVE')
    lock.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if ((error as { code?: string }).code !== 'SQLITE_BUSY') throw lockFailure(error, dataDir)
    throw new Error(`The data folder ${dataDir} is in use by ${readHolder(holderFile)}.`, { cause: error })
  }
  explained(dataDir, 'lock.holder', () =>
    writeFileSync(holderFile, `process ${process.pid} on ${hostname()}`)
  )
  return lock
}

/** The lock's file holds nothing: one that is damaged can go. */
function lockFailure(error: unknown, dataDir: string): unknown {
  const path = join(dataDir, LOCK)
  return isDamage(error)
    ? new Error(
        `${path} is damaged. It only holds the lock of the data folder: stop all programs that use the ` +
          'folder, and delete the file.'
      )
    : failureOf(error, path)
}

function readHolder(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return 'another process'
  }
}
