import { StorageFull, StorageUnwritable } from '../errors.js'

const FULL = /^(SQLITE_FULL|ENOSPC|EDQUOT)$/
const UNWRITABLE = /^(SQLITE_(READONLY|IOERR|CANTOPEN)\w*|EROFS|EACCES|EPERM|EIO)$/

/** Whether an error says that the disk is full. */
export function isFull(error: unknown): boolean {
  return FULL.test((error as { code?: string }).code ?? '')
}

/** What a caller is told of a disk that refuses; other errors come back as they are. */
export function storageError(error: unknown): unknown {
  const { code = '' } = error as { code?: string }
  if (FULL.test(code)) return Object.assign(new StorageFull(), { cause: error })
  return UNWRITABLE.test(code) ? Object.assign(new StorageUnwritable(), { cause: error }) : error
}
