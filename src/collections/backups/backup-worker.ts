import { rmSync, statSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { storageError } from '../../fs/disk-fault.js'
import { handler, reportReady } from '../../threading/thread-pool.js'
import { fileDigest } from '../file-digest.js'
import { openReader } from '../sqlite/connection.js'
import { BACKUP_FORMAT } from './backup-file.js'
import { partialFile, settleBackup, type Backup } from './backup-folder.js'
import { writeBackup } from './write-backup.js'

export interface MakeCall {
  collection: string
  name: string
  service: string
  /** One shared integer: not 0 tells it to stop. */
  stop: Int32Array
}

/** How far a backup is, in records. */
export interface BackupProgress {
  done: number
  total: number
}

// A thread that makes one backup, with a read-only connection of its own: writes and searches go on beside
// it.
const { dataDir } = workerData as { dataDir: string }
const db = openReader(dataDir)

/** Makes a backup and puts it in its place, whole or not at all. */
export const make = handler(async ({ collection: asked, name, service, stop }: MakeCall): Promise<Backup> => {
  const path = partialFile(dataDir, asked, name)
  const isStopped = () => Atomics.load(stop, 0) !== 0
  const onProgress = (progress: BackupProgress) => parentPort?.postMessage(progress)
  // What another process left, which was killed.
  rmSync(path, { force: true })
  try {
    const { collection, ...rest } = writeBackup(db, {
      dataDir,
      collection: asked,
      path,
      service,
      isStopped,
      onProgress
    })
    const { model, fingerprint, dimension, createdAt: collectionCreatedAt } = collection
    const sha256 = await fileDigest(path, isStopped)
    if (sha256 === undefined || isStopped()) throw new Error('The backup was stopped.')
    const backup: Backup = {
      name,
      format: BACKUP_FORMAT,
      collection: asked,
      collectionCreatedAt,
      model,
      fingerprint,
      dimension,
      service,
      ...rest,
      bytes: statSync(path).size,
      sha256
    }
    settleBackup(dataDir, backup, path)
    return backup
  } catch (error) {
    rmSync(path, { force: true })
    throw storageError(error)
  }
})

reportReady()
