import { handler, reportReady } from '../../threading/thread-pool.js'
import { readBackup, type BackupReader } from './read-backup.js'

// A thread that reads one backup, so that looking through a large file holds no other thread.
let reader: BackupReader | undefined

const opened = () => {
  if (!reader) throw new Error('No backup is open.')
  return reader
}

/** Opens the backup and looks through it. */
export const open = handler(
  ({ path, maxImageBytes }: { path: string; maxImageBytes: number }) =>
    (reader = readBackup(path, { maxImageBytes })).content
)

/** Records after a key. */
export const records = handler((after: number) => opened().records(after))

/** Embeddings after a label. */
export const embeddings = handler((after: number) => opened().embeddings(after))

/** Closes the backup. */
export const close = handler(() => reader?.close())

reportReady()
