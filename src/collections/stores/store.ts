import type { DiskSpace } from '../../fs/disk-space.js'
import type { PoolState } from '../../threading/thread-pool.js'
import type { Backups } from '../backups/backups.js'
import type { Collections } from '../collections.js'
import type { Exports } from '../exports/exports.js'
import type { Setback } from './setback.js'
import type { Waiting } from '../waiting.js'
import type { ClassifierStore } from './classifier-store.js'
import type { ImageStore } from './image-store.js'
import type { JobStore } from './job-store.js'
import type { MarkerStore } from './marker-store.js'
import type { ReportStore } from './report-store.js'

/** All that keeps the data of a service. Who works with a part of it is given that part alone. */
export interface Store {
  readonly collections: Collections
  readonly images: ImageStore
  readonly jobs: JobStore
  readonly classifiers: ClassifierStore
  readonly reports: ReportStore
  readonly markers: MarkerStore
  readonly backups: Backups
  readonly exports: Exports
  readonly health: StoreHealth
  /** Commits what was accepted, then lets go of the data. May be called again. */
  close(): Promise<void>
}

/** How a store is. */
export interface StoreHealth {
  /** Embeddings that wait to enter their graph, in all collections. */
  pending(): Promise<number>
  /** Reads and writes that wait, and how long a read would; 0 ms while nothing is known. */
  readonly waiting: Pick<Waiting, 'queued' | 'expectedReadMs'>
  /** What the store was found to lack, at this start or lately, that was acknowledged. */
  readonly setback?: Setback
  /** How the store's threads are. */
  readonly pools: PoolState[]
  /** The room that is left for writes. Throws the system's error. */
  diskSpace(): Promise<DiskSpace>
}
