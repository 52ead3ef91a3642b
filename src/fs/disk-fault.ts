import { StorageFull, StorageUnwritable } from '../errors.js'

/** What is wrong with a disk, a folder or a file that could not be read or written. */
export type DiskFault = 'full' | 'read-only' | 'denied' | 'broken'

/** The codes of the system and of SQLite. */
const CODES: [fault: DiskFault, code: RegExp][] = [
  ['full', /^(SQLITE_FULL|ENOSPC|EDQUOT)$/],
  ['read-only', /^(SQLITE_READONLY\w*|EROFS)$/],
  ['denied', /^(SQLITE_(CANTOPEN|PERM|AUTH)\w*|EACCES|EPERM)$/],
  ['broken', /^(SQLITE_IOERR\w*|EIO)$/]
]

/** What an error says of the disk, by its code; undefined where it says nothing of it. */
export function diskFault(error: unknown): DiskFault | undefined {
  const code = codeOf(error)
  return CODES.find(([, pattern]) => pattern.test(code))?.[0]
}

/** The code of an error of the system or of SQLite; empty where it has none. */
export function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | undefined)?.code ?? '')
}

/** Whether an error says that the disk is full. */
export function isFull(error: unknown): boolean {
  return diskFault(error) === 'full'
}

/** What a caller is told of a disk that refuses; other errors come back as they are. */
export function storageError(error: unknown): unknown {
  const fault = diskFault(error)
  if (fault === undefined) return error
  return Object.assign(fault === 'full' ? new StorageFull() : new StorageUnwritable(), { cause: error })
}
