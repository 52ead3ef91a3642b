import { randomUUID } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { isFull } from '../fs/disk-fault.js'
import { syncPathSync } from '../fs/durable-write.js'
import { handler, reportReady } from '../threading/thread-pool.js'
import {
  imageDigest,
  imageFolder,
  imageFolderExists,
  removeImages,
  sweepImages,
  writeImages
} from './image-files.js'
import { createFullDiskWriter } from './full-disk-writes.js'
import type { RecordPatch, RecordWrite, RestoredRecord } from './record.js'
import { openReserve } from './reserve.js'
import type { BulkLoadStep } from './stores/bulk-load.js'
import { lockFolder, openWriter, storeFailure, type Connection } from './sqlite/connection.js'
import { findSetback, lastSetback, noteSetback, openMark } from './sqlite/high-water.js'
import { describeSetback, type Setback } from './stores/setback.js'
import { createStoreReader } from './sqlite/reads.js'
import { createStoreWriter, type StoreWriter, type Write, type WriteAnswer } from './sqlite/writes.js'
import type { CollectionKey, Digested } from './sqlite/record-change.js'

/** A write as it is sent to the writer: records still with the bytes of their images. */
export type RawWrite =
  | Exclude<Write, { kind: 'upsert' | 'patch' | 'restore' }>
  | { kind: 'upsert'; collection: CollectionKey; records: RecordWrite[]; load?: BulkLoadStep }
  | { kind: 'patch'; collection: CollectionKey; id: string; patch: RecordPatch }
  | { kind: 'restore'; collection: CollectionKey; records: RestoredRecord[] }

/** What the writer reports: what went wrong and was got over. */
export interface WriterReport {
  problem: string
}

/** What the writer finds when it starts. */
export interface WriterFinding {
  /** What the store lacks that was acknowledged, where that was noticed lately. */
  setback?: Setback
}

/**
 * How long a setback is told after it was noticed: a service may have been started again before anyone
 * looked.
 */
const SETBACK_TOLD_MS = 7 * 24 * 3600 * 1000

// The writer thread: the only read-write connection, the lock on the data folder, and the kept images.
const { dataDir } = workerData as { dataDir: string }
const report = (message: WriterReport) => parentPort?.postMessage(message)
const onProblem = (problem: string) => report({ problem })
const lock = lockFolder(dataDir)
const reserve = openReserve(dataDir)
const { db, store, isImageReferred, setback } = withRoom(() => start(openWriter(dataDir)))
const highWater = openMark(dataDir)
const writeOnFullDisk = createFullDiskWriter({ commit, foldLog, reserve, onProblem })

/**
 * Opens the store with the room of the reserve where the disk is full: recovery after a crash rewrites the
 * index of the log.
 */
function withRoom<T>(open: () => T): T {
  try {
    return open()
  } catch (error) {
    if (!isFull(error)) throw error
    reserve.release()
    const opened = open()
    reserve.restore()
    return opened
  }
}

interface Started {
  db: Connection
  store: StoreWriter
  isImageReferred: (sha256: string) => boolean
  setback?: Setback
}

/**
 * Prepares the statements, looks whether the store went back, and sweeps the images. Its errors say what is
 * wrong with the folder.
 */
function start(db: Connection): Started {
  try {
    const reader = createStoreReader(db)
    if (!imageFolderExists(dataDir) && reader.hasImages())
      onProblem(
        `the folder of kept images, ${imageFolder(dataDir)}, does not exist, but records refer to ` +
          'images in it: check that its volume is mounted'
      )
    sweepImages(dataDir, reader.isImageReferred)
    // The names of the store's file and the images' folder are durable once their folder is.
    syncPathSync(dataDir)
    return {
      db,
      store: createStoreWriter(db),
      isImageReferred: reader.isImageReferred,
      setback: noticeSetback(db)
    }
  } catch (error) {
    throw storeFailure(error, dataDir)
  }
}

/** What the store was found to lack lately. */
function noticeSetback(db: Connection): Setback | undefined {
  const found = findSetback(dataDir, db, Date.now())
  if (found) {
    onProblem(describeSetback(found))
    try {
      noteSetback(db, found)
    } catch (error) {
      // On a full disk: it is found again at the next start.
      if (!isFull(error)) throw error
    }
  }
  const last = found ?? lastSetback(db)
  return last && Date.now() - last.noticedAt < SETBACK_TOLD_MS ? last : undefined
}

/** Commits writes in one transaction, then lets go of the images that they released. */
function commit(writes: Write[]): WriteAnswer[] {
  const { answers, orphanedImages, mark } = store.commit(writes)
  if (mark) highWater.raise(mark)
  letGo(orphanedImages)
  return answers
}

/** Folds the log into the store's file and cuts it, as far as there is room and no reader needs it. */
function foldLog(): void {
  try {
    db.pragma('wal_checkpoint(TRUNCATE)')
  } catch (error) {
    if (!isFull(error)) throw error
  }
}

/** Puts the digests of images in their place, and the images aside to be written. */
function digest(write: RawWrite, images: Map<string, Uint8Array>): Write {
  if (write.kind === 'upsert')
    return { ...write, records: write.records.map((record) => digestImage(record, images)) }
  if (write.kind === 'restore')
    return { ...write, records: write.records.map((record) => digestImage(record, images)) }
  if (write.kind === 'patch') return { ...write, patch: digestImage(write.patch, images) }
  return write
}

function digestImage<W extends Pick<RecordPatch, 'image'>>(
  { image, ...rest }: W,
  images: Map<string, Uint8Array>
): Digested<W> {
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
    removeImages(
      dataDir,
      [...kept].filter((sha256) => !isImageReferred(sha256))
    )
    kept.clear()
  }
  return held
})

/**
 * Commits a group of writes: images first, synced, then all rows in one transaction, then the images let go.
 */
export const write = handler((writes: RawWrite[]): WriteAnswer[] => {
  const images = new Map<string, Uint8Array>()
  const digested = writes.map((raw) => digest(raw, images))
  try {
    writeImages(dataDir, images)
    return commit(digested)
  } catch (error) {
    letGo([...images.keys()].filter((sha256) => !isImageReferred(sha256)))
    return writeOnFullDisk(digested, error)
  }
})

/** Folds the log into the store's file and lets go of the folder. */
export const close = handler(() => {
  db.close()
  highWater.close()
  lock.close()
})

reportReady({ setback } satisfies WriterFinding)
