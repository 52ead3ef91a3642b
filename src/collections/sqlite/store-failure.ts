import { join } from 'node:path'
import { codeOf, diskFault, type DiskFault } from '../../fs/disk-fault.js'

/** What the operator can do about a store that is damaged. */
const RESTORE =
  'Stop the service, copy the data folder, and check it with semblance doctor. To recover, restore a ' +
  'copy of the data folder, or move semblance.db, semblance.db-wal and semblance.db-shm away, start ' +
  'the service, and restore the collections from their backups'

/** What SQLite and the system say by code, in words: what is wrong, and what to do. */
const FAILURES: [cause: DiskFault | RegExp, wrong: string, remedy: string][] = [
  [/^SQLITE_NOTADB/, 'is not an SQLite database: its first bytes are not the SQLite header', RESTORE],
  [/^SQLITE_CORRUPT/, 'is damaged: some of its pages are not valid', RESTORE],
  [
    'read-only',
    'cannot be written to',
    'Mount its file system for writing, and make the user that runs the service the owner of the ' +
      'folder and its files'
  ],
  [
    'denied',
    'cannot be opened',
    'Check that the path exists, and that the user that runs the service may read and write the folder ' +
      'and its files'
  ],
  [
    /^(ENOTDIR|EISDIR|EEXIST)/,
    'has the wrong type: a file in place of a folder, or a folder in place of a file',
    'Move it away, or set DATA_DIR to another folder'
  ],
  [/^ENOENT/, 'does not exist', 'Check DATA_DIR, and that its volume is mounted'],
  [
    'broken',
    'cannot be read or written: the disk reports an error',
    'Check the system log for errors of the disk or the mount; then restore a copy of the data folder, ' +
      'or start again'
  ],
  [
    /^SQLITE_(BUSY|LOCKED|PROTOCOL)/,
    'is locked by another program',
    'End the program that has it open, such as sqlite3 or a copying tool'
  ],
  ['full', "can't be written: its disk is full", 'Free space on the disk of DATA_DIR']
]

/** Whether an error says that a file of SQLite's is damaged. */
export function isDamage(error: unknown): boolean {
  return /^SQLITE_(CORRUPT|NOTADB)/.test(codeOf(error))
}

/**
 * Runs what opens or reads a file of the data folder; its errors name the file, what is wrong with it and
 * what to do.
 */
export function explained<T>(dataDir: string, file: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw failureOf(error, join(dataDir, file))
  }
}

/**
 * The error that says what is wrong with a file and what to do; errors without a code that is known come back
 * as they are. It is a plain Error: the driver's own loses its message on the way between threads.
 */
export function failureOf(error: unknown, path: string): unknown {
  const code = codeOf(error)
  const fault = diskFault(error)
  const [, wrong, remedy] =
    FAILURES.find(([cause]) => (typeof cause === 'string' ? cause === fault : cause.test(code))) ?? []
  if (wrong === undefined)
    return code.startsWith('SQLITE_')
      ? new Error(`${path}: ${(error as Error).message} (${code})`, { cause: error })
      : error
  const { message, path: where } = error as NodeJS.ErrnoException
  return Object.assign(new Error(`${where ?? path} ${wrong} (${code}: ${message}). ${remedy}.`), { code })
}
