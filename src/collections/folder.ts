import { mkdir } from 'node:fs/promises'
import type { CallOptions } from '../threading/call-options.js'
import { fromErrorShape, isPublicError } from '../errors.js'
import {
  closeFolderThreads,
  openFolderThreads,
  type FolderThreads,
  type StoreOptions
} from './folder-threads.js'
import { failureOf } from './sqlite/store-failure.js'
import type { Written } from './sqlite/writes.js'
import { createWaiting, type Waiting } from './waiting.js'
import type { StoreRead } from './store-read.js'
import type { RawWrite } from './writer-worker.js'

/** An open data folder, as the stores in it use it. */
export interface Folder extends FolderThreads {
  readonly dataDir: string
  readonly waiting: Waiting
  /** Makes a write durable. Throws what rejected it. */
  commit(write: RawWrite, callOptions?: CallOptions): Promise<Written>
  /** Reads the store, past the queue of reads. */
  readonly read: StoreRead
  /** Sets what reads the store again into memory, where that may differ after a write that failed. */
  onResync(reload: () => Promise<void>): void
  /** Notes that memory differs from the store: the next write, the sweep's if no other, has it read again. */
  outdate(): void
  /** Commits what was accepted, then lets go of the folder. */
  close(): Promise<void>
}

/**
 * Opens a data folder, and creates it where there is none: takes its lock, brings the store's schema up to
 * date and reads the vectors of its indexes, whose graphs are then built while they serve. Throws when
 * another process has the folder or a newer version wrote it.
 */
export async function openFolder(options: StoreOptions): Promise<Folder> {
  const { dataDir } = options
  await mkdir(dataDir, { recursive: true }).catch((error) => Promise.reject(failureOf(error, dataDir)))
  const threads = await openFolderThreads(options)
  const waiting = createWaiting(threads.writer, options.maxWaitMs)
  let isOutdated = false
  let recovering: Promise<void> | undefined
  let reload = async () => undefined as void
  // The writer may have died after a commit and before it said so: memory is made to agree with the store
  // again.
  const resync = async () => {
    await threads.searcher.call('resync', undefined)
    await reload()
    isOutdated = false
  }
  const recover = () => (recovering ??= resync().finally(() => (recovering = undefined)))
  return {
    ...threads,
    dataDir,
    waiting,
    commit: async (write, callOptions) => {
      if (isOutdated) await recover()
      const answer = await waiting.write(write, callOptions).catch(async (error) => {
        isOutdated ||= isPublicError(error) && error.code === 'WORKER_DIED'
        if (isOutdated) await recover()
        throw error
      })
      if (!('failure' in answer)) return answer
      isOutdated ||= answer.isPartial === true
      if (isOutdated) await recover()
      throw fromErrorShape(answer.failure)
    },
    read: (operation, ...args) => threads.searcher.call('read', { operation, args }) as Promise<never>,
    onResync: (listener) => void (reload = listener),
    outdate: () => void (isOutdated = true),
    close: async () => {
      await waiting.close()
      await closeFolderThreads(threads)
    }
  }
}
