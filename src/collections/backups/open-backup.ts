import { startThreadPool } from '../../threading/thread-pool.js'
import type { RestoredEmbedding, RestoredRecord } from '../record.js'
import type { BackupContent, BackupPage } from './read-backup.js'

/** A backup that is read in a thread of its own. */
export interface OpenBackup {
  content: BackupContent
  /** All records, in their order, some at a time. */
  records(): AsyncIterable<RestoredRecord[]>
  /** All embeddings, in their order, some at a time. */
  embeddings(): AsyncIterable<RestoredEmbedding[]>
  close(): Promise<void>
}

/**
 * Opens a file that may come from anybody. Throws BACKUP_INVALID with what is wrong, BACKUP_TOO_NEW; so do
 * its reads.
 */
export async function openBackup(path: string, limits: { maxImageBytes: number }): Promise<OpenBackup> {
  const thread = await startThreadPool<typeof import('./restore-worker.js')>(
    new URL('./restore-worker.js', import.meta.url),
    { name: 'restore', count: 1, workerData: null }
  )
  try {
    const content = await thread.call('open', { path, ...limits })
    return {
      content,
      records: () => pages((after) => thread.call('records', after)),
      embeddings: () => pages((after) => thread.call('embeddings', after)),
      close: async () => {
        await thread.call('close', undefined)
        await thread.close()
      }
    }
  } catch (error) {
    await thread.close()
    throw error
  }
}

async function* pages<Row>(read: (after: number) => Promise<BackupPage<Row>>): AsyncGenerator<Row[]> {
  for (let after: number | undefined = 0; after !== undefined;) {
    const page: BackupPage<Row> = await read(after)
    if (page.rows.length > 0) yield page.rows
    after = page.after
  }
}
