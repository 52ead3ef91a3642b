import type { Dataset, EmbeddedPairs } from '../../evaluation/datasets/dataset.js'
import { abortable } from '../../threading/abortable.js'
import { startThreadPool, type ThreadPool } from '../../threading/thread-pool.js'
import type { FolderAsked } from './dataset-folders.js'

/** A dataset that a thread of its own reads; `close` ends that thread, and there are no items after it. */
export interface OpenedDataset {
  dataset: Dataset | EmbeddedPairs
  close(): Promise<void>
}

/**
 * Opens a dataset below the folder of datasets in a thread, so that nobody waits for its files to be parsed.
 * Throws what `openFolder` does, and the signal's reason.
 */
export async function openDatasetThread(
  datasetsDir: string,
  asked: FolderAsked,
  signal: AbortSignal = new AbortController().signal
): Promise<OpenedDataset> {
  const thread: ThreadPool<typeof import('./dataset-worker.js')> = await startThreadPool(
    new URL('./dataset-worker.js', import.meta.url),
    { name: 'dataset', count: 1, workerData: null }
  )
  try {
    const described = await abortable(thread.call('open', { datasetsDir, asked }), signal)
    if (described.kind === 'embeddings') return { dataset: described, close: thread.close }
    const items = async function* (stop: AbortSignal = signal) {
      for (let isFirst = true; ; isFirst = false) {
        const page = await abortable(thread.call('page', { isFirst }), stop)
        yield* page.items
        if (page.isLast) return
      }
    }
    return { dataset: { ...described, items } as Dataset, close: thread.close }
  } catch (error) {
    await thread.close()
    throw error
  }
}
