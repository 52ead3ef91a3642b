import type { Lane } from './batcher.js'

/** How a batcher gathers and runs its entries. */
export interface BatcherOptions<Item, Result> {
  /** Runs one batch; resolves to one result an item, in the same order. */
  run: (items: Item[], batch: Batch) => Promise<Result[]>
  maxBatchSize: number
  /**
   * How long the oldest entry waits for a batch to fill while a slot is free. With 0 it waits for the current
   * turn only, and behind a batch of many while entries keep coming, up to a fifth of what that batch took.
   */
  maxDelayMs: number
  /** Batches that run at the same time. */
  concurrency: number
  /** Waiting entries of a lane at which a new request of it is rejected. */
  maxQueueSize: number
  /** Time to the answer, in milliseconds, to which requests of a lane are admitted; 0 sets no bound. */
  maxWaitMs?: Record<Lane, number>
  /** Whether an item may share a batch with the oldest one (texts of like length, say). */
  fits?: (item: Item, oldest: Item) => boolean
  /** Items of one key that wait or run at the same time are run once. */
  key?: (item: Item) => string
  /**
   * Whether one more batch may run, of the interactive lane: an entry that comes while no other waits or
   * runs, or a batch while the others that run are all of the bulk lane. Under a load of the interactive lane
   * alone it stands still.
   */
  express?: boolean
  /**
   * Whether `run` tells itself when it begins, since what it runs waits in queues of its own: that counts as
   * waiting until then.
   */
  tellsBegun?: boolean
  /** Whether the items of a failed batch are worth running one by one, so that a poisoned one fails alone. */
  retryAlone?: (error: unknown) => boolean
}

/** What a run is told of its batch. */
export interface Batch {
  lane: Lane
  /** Whether it is the one beside the others. */
  express: boolean
  /** Called where `tellsBegun` is set. */
  onBegun: () => void
  /** How long each item waited, in milliseconds. */
  waited: number[]
  /** Aborted when nobody waits for any of its items any more. */
  signal: AbortSignal
}
