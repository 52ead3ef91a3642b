import { workerData } from 'node:worker_threads'
import { StorageFull } from '../errors.js'
import { handler, reportReady } from '../threads.js'
import { imageDigest, removeImages, sweepImages, writeImages } from './image-files.js'
import type { RecordWrite } from './record.js'
import { lockFolder, openStore } from './store/connection.js'
import { createStoreReader } from './store/reads.js'
import { createStoreWriter, type CollectionKey, type Write, type WriteAnswer } from './store/writes.js'

/** A write as it is sent to the writer: records still with the bytes of their images. */
export type RawWrite = Exclude<Write, { kind: 'upsert' }> | { kind: 'upsert'; collection: CollectionKey; records: RecordWrite[] }

// The writer thread: the only read-write connection, the lock on the data folder, and the kept images.
const { dataDir } = workerData as { dataDir: string }
const lock = lockFolder(dataDir)
const db = openStore(dataDir)
const store = createStoreWriter(db)
const { isImageReferred } = createStoreReader(db)
sweepImages(dataDir, isImageReferred)

function digest(write: RawWrite, images: Map<string, Uint8Array>): Write {
  if (write.kind !== 'upsert') return write
  const records = write.records.map(({ image, ...record }) => {
    if (!image) return record
    const sha256 = imageDigest(image.bytes)
    images.set(sha256, image.bytes)
    return { ...record, image: { sha256, type: image.type, bytes: image.bytes.length } }
  })
  return { ...write, records }
}

/** Commits a group of writes: images first, synced, then all rows in one transaction, then the images let go. */
export const write = handler((writes: RawWrite[]): WriteAnswer[] => {
  const images = new Map<string, Uint8Array>()
  const digested = writes.map((raw) => digest(raw, images))
  try {
    writeImages(dataDir, images)
    const { answers, orphanedImages } = store.commit(digested)
    removeImages(dataDir, orphanedImages)
    return answers
  } catch (error) {
    removeImages(dataDir, [...images.keys()].filter((sha256) => !isImageReferred(sha256)))
    if (['SQLITE_FULL', 'ENOSPC', 'EDQUOT'].includes((error as { code: string }).code)) throw new StorageFull()
    throw error
  }
})

/** Folds the log into the store's file and lets go of the folder. */
export const close = handler(() => {
  db.close()
  lock.close()
})

reportReady()
