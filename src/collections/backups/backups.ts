import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { BackupExists, Closed, StorageFull, WorkerDied } from '../../errors.js'
import { hasRoom } from '../../fs/disk-space.js'
import { Semaphore } from '../../threading/semaphore.js'
import { startThreadPool } from '../../threading/thread-pool.js'
import type { Collections } from '../collections.js'
import type { ImageStore } from '../stores/image-store.js'
import {
  backupExists,
  findBackup,
  hasBackups,
  listBackups,
  MAX_NAME,
  partialFile,
  removeBackup,
  renameBackup,
  sweepBackups,
  uploadFile,
  type Backup
} from './backup-folder.js'

export interface BackupsOptions {
  dataDir: string
  collections: Pick<Collections, 'get'>
  images: Pick<ImageStore, 'hold'>
  /** The version of the service, which backups name. */
  service: string
}

/** The backups in a data folder. They outlive their collection. */
export interface Backups {
  /**
   * Makes a backup of a collection as it is at one moment, while that goes on serving. Throws
   * COLLECTION_NOT_FOUND, BACKUP_EXISTS, QUEUE_FULL, STORAGE_FULL, or the signal's reason, having left
   * nothing.
   */
  make(collection: string, options: { name?: string; signal: AbortSignal }): Promise<Backup>
  /** The latest first. Throws COLLECTION_NOT_FOUND when there never was a backup, nor such a collection. */
  list(collection: string): Promise<Backup[]>
  /** Throws BACKUP_NOT_FOUND. */
  get(collection: string, name: string): Backup & { path: string }
  /** Throws BACKUP_NOT_FOUND. */
  remove(collection: string, name: string): void
  /**
   * A place for a file that is received, to be removed by its owner; a crash has it removed at the next
   * start.
   */
  uploadFile(): string
  /** Throws STORAGE_FULL when so many bytes more would leave the data folder's disk without its reserve. */
  requireRoom(bytes: number): Promise<void>
  /** Stops what is being made and waits for it. */
  close(): Promise<void>
}

/** Backups that are made at a time: each has a thread, and reads all of a collection. */
const AT_ONCE = 2

/** Opens the backups of a data folder, having removed what a crash left of some. */
export function openBackups(options: BackupsOptions): Backups {
  const { dataDir, collections } = options
  sweepBackups(dataDir)
  const semaphore = new Semaphore(AT_ONCE)
  const closing = new AbortController()
  const running = new Map<string, Promise<Backup>>()
  return {
    make: async (collection, { name = timeName(), signal }) => {
      const { settings } = await collections.get(collection)
      setAside(dataDir, { collection, name, createdAt: settings.createdAt })
      const key = `${collection}/${name}`
      if (running.has(key) || backupExists(dataDir, collection, name))
        throw new BackupExists(collection, name)
      const release = semaphore.acquireNow()
      const made = makeBackup(
        options,
        { collection, name },
        AbortSignal.any([signal, closing.signal])
      ).finally(() => {
        running.delete(key)
        release()
      })
      running.set(key, made)
      return made
    },
    list: async (collection) => {
      if (!hasBackups(dataDir, collection)) await collections.get(collection)
      return listBackups(dataDir, collection)
    },
    get: (collection, name) => findBackup(dataDir, collection, name),
    remove: (collection, name) => removeBackup(dataDir, collection, name),
    uploadFile: () => uploadFile(dataDir, randomUUID()),
    requireRoom: async (bytes) => {
      if (!(await hasRoom(dataDir, bytes))) throw new StorageFull()
    },
    close: async () => {
      closing.abort(new Closed())
      await Promise.allSettled(running.values())
    }
  }
}

/**
 * Frees a name that a backup of an earlier collection has: who makes one of the collection that is there now
 * need not know of others. It goes on under its name with the time at which its collection was created.
 */
function setAside(
  dataDir: string,
  { collection, name, createdAt }: { collection: string; name: string; createdAt: number }
): void {
  const existing = listBackups(dataDir, collection).find((backup) => backup.name === name)
  if (!existing || existing.collectionCreatedAt === createdAt) return
  const suffix = `-${existing.collectionCreatedAt}`
  renameBackup(dataDir, existing, name.slice(0, MAX_NAME - suffix.length) + suffix)
}

/** `2026-11-25t12-54-30-123z`: the time, in what names may hold. */
function timeName(): string {
  return new Date().toISOString().toLowerCase().replace(/[:.]/g, '-')
}

async function makeBackup(
  { dataDir, images, service }: BackupsOptions,
  which: { collection: string; name: string },
  signal: AbortSignal
): Promise<Backup> {
  signal.throwIfAborted()
  const stop = new Int32Array(new SharedArrayBuffer(4))
  const onAbort = () => void Atomics.store(stop, 0, 1)
  signal.addEventListener('abort', onAbort, { once: true })
  // Before the thread looks: no image that it sees referred to is removed from here on.
  const release = await images.hold()
  try {
    const thread = await startThreadPool<typeof import('./backup-worker.js')>(
      new URL('./backup-worker.js', import.meta.url),
      { name: 'backup', count: 1, workerData: { dataDir } }
    )
    const backup = await thread.call('make', { ...which, service, stop }).finally(() => thread.close())
    // A writer that was replaced meanwhile has swept images that this backup should have had.
    const isWhole = (await release().catch(() => false)) || backup.lostImages === 0
    if (isWhole && !signal.aborted) return backup
    removeBackup(dataDir, which.collection, which.name)
    throw new WorkerDied()
  } catch (error) {
    // A thread that died could not.
    rmSync(partialFile(dataDir, which.collection, which.name), { force: true })
    signal.throwIfAborted()
    throw error
  } finally {
    await release().catch(() => undefined)
    signal.removeEventListener('abort', onAbort)
  }
}
