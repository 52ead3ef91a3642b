import { randomUUID } from 'node:crypto'
import { workerData } from 'node:worker_threads'
import { handler, reportReady } from '../threads.js'
import { imageDigest, removeImages, sweepImages, writeImages } from './image-files.js'
import type { RecordPatch, RecordWrite, RestoredRecord } from './record.js'
import { storageError } from './storage-error.js'
import type { BulkLoadStep } from './store/bulk-loads.js'
import { lockFolder, openStore } from './store/connection.js'
import { syncPath } from './sync-path.js'
import { createStoreReader } from './store/reads.js'
import { createStoreWriter, type CollectionKey, type Digested, type Write, type WriteAnswer } from './store/writes.js'

/** A write as it is sent to the writer: records still with the bytes of their images. */
export type RawWrite =
  | Exclude<Write, { kind: 'upsert' | 'patch' | 'restore' }>
  | { kind: 'upsert'; collection: CollectionKey; records: RecordWrite[]; load?: BulkLoadStep }
  | { kind: 'patch'; collection: CollectionKey; id: string; patch: RecordPatch }
  | { kind: 'restore'; collection: CollectionKey; records: RestoredRecord[] }

// The writer thread: the only read-write connection, the lock on the data folder, and the kept images.
const { dataDir } = workerData as { dataDir: string }
const lock = lockFolder(dataDir)
const db = openStore(dataDir)
const store = createStoreWriter(db)
const { isImageReferred } = createStoreReader(db)
sweepImages(dataDir, isImageReferred)
// The names of the store's file and the images' folder are durable once their folder is.
syncPath(dataDir)

/** Puts the digests of images in their place, and the images aside to be written. */
function digest(write: RawWrite, images: Map<string, Uint8Array>): Write {
  if (write.kind === 'upsert') return { ...write, records: write.records.map((record) => digestImage(record, images)) }
  if (write.kind === 'restore') return { ...write, records: write.records.map((record) => digestImage(record, images)) }
  if (write.kind === 'patch') return { ...write, patch: digestImage(write.patch, images) }
  return write
}

function digestImage<W extends Pick<RecordPatch, 'image'>>({ image, ...rest }: W, images: Map<string, Uint8Array>): Digested<W> {
  if (!image) return { ...rest, image }
  const sha256 = imageDigest(image.bytes)
  images.set(sha256, image.bytes)
  return { ...rest, image: { sha256, type: image.type, bytes: image.bytes.length } }
}

/** Images that nobody refers to any more, while a backup may still read them. */
const kept = new Set<string>()
const holds = new Set<string>()

/** Removes images that nobody refers to, once no backup holds them. */
function letGo(digests: string[]): void {
  if (holds.size === 0) removeImages(dataDir, digests)
  else for (const sha256 of digests) kept.add(sha256)
}

/** Keeps images from being removed; answers with what ends that. */
export const holdImages = handler((): string => {
  const hold = randomUUID()
  holds.add(hold)
  return hold
})

/** Ends a hold; answers whether it held till now, which one from before this thread was replaced does not. */
export const releaseImages = handler((hold: string): boolean => {
  const held = holds.delete(hold)
  if (holds.size === 0) {
    removeImages(dataDir, [...kept].filter((sha256) => !isImageReferred(sha256)))
    kept.clear()
  }
  return held
})

/** Commits a group of writes: images first, synced, then all rows in one transaction, then the images let go. */
export const write = handler((writes: RawWrite[]): WriteAnswer[] => {
  const images = new Map<string, Uint8Array>()
  const digested = writes.map((raw) => digest(raw, images))
  try {
    writeImages(dataDir, images)
    const { answers, orphanedImages } = store.commit(digested)
    letGo(orphanedImages)
    return answers
  } catch (error) {
    letGo([...images.keys()].filter((sha256) => !isImageReferred(sha256)))
    throw storageError(error)
  }
})

/** Folds the log into the store's file and lets go of the folder. */
export const close = handler(() => {
  db.close()
  lock.close()
})

reportReady()
