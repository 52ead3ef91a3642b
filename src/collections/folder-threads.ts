import { isTransient } from '../errors.js'
import type { Lane } from '../threading/call-options.js'
import { startThreadPool, type ThreadPool } from '../threading/thread-pool.js'
import type { SearcherReport } from './searcher-worker.js'
import type { WriterReport } from './writer-worker.js'

export interface StoreOptions {
  dataDir: string
  /** Told how far the indexes are, while they are built at the start. */
  onProgress?: (progress: { indexed: number; total: number }) => void
  /** Told what went wrong and was got over: a damaged snapshot, say. */
  onProblem?: (problem: string) => void
  onWorkerDeath?: (error: Error) => void
  /** Expected wait by lane, in milliseconds, over which a read is rejected; 0 sets no bound. */
  maxWaitMs?: Record<Lane, number>
}

export type Writer = typeof import('./writer-worker.js')
export type Searcher = typeof import('./searcher-worker.js')

/**
 * Calls that the searcher holds at a time: adds that wait for the graphs among them, which must not keep
 * searches out.
 */
const SEARCHER_CALLS = 10_000

/** The one thread that writes to a data folder, and the one that reads and searches it. */
export interface FolderThreads {
  writer: ThreadPool<Writer>
  searcher: ThreadPool<Searcher>
}

/**
 * Starts the threads of a data folder, the writer first: it takes the lock and makes the store what it should
 * be.
 */
export async function openFolderThreads({
  dataDir,
  onProgress,
  onProblem,
  onWorkerDeath: onDeath
}: Pick<StoreOptions, 'dataDir' | 'onProgress' | 'onProblem' | 'onWorkerDeath'>): Promise<FolderThreads> {
  const workerData = { dataDir }
  const writer = await startThreadPool<Writer>(new URL('./writer-worker.js', import.meta.url), {
    name: 'writer',
    count: 1,
    workerData,
    onDeath,
    onReport: (report) => onProblem?.((report as WriterReport).problem)
  })
  const onReport = (report: unknown) => {
    const message = report as SearcherReport
    if ('problem' in message) onProblem?.(message.problem)
    else onProgress?.(message)
  }
  try {
    const searcher = await startThreadPool<Searcher>(new URL('./searcher-worker.js', import.meta.url), {
      name: 'searcher',
      count: 1,
      workerData,
      callsPerThread: SEARCHER_CALLS,
      onReport,
      onDeath
    })
    return { writer, searcher }
  } catch (error) {
    await writer.close()
    throw error
  }
}

/** Ends the threads: the searcher saves its graphs, the writer lets go of the folder. */
export async function closeFolderThreads({ writer, searcher }: FolderThreads): Promise<void> {
  await searcher.call('stop', undefined).catch(unlessGone)
  await searcher.close()
  await writer.call('close', undefined).catch(unlessGone)
  await writer.close()
}

/** A thread that is gone has nothing left to save, and its lock went with it. */
function unlessGone(error: unknown): void {
  if (!isTransient(error)) throw error
}
