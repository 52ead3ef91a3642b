import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { Closed } from '../errors.js'
import { storageError } from '../fs/disk-fault.js'
import type { CollectionIndex } from './collection-index.js'
import type { HnswGraph } from './hnsw-graph.js'
import type { ModalityIndex } from './modality-index.js'
import { MODALITIES, type Modality } from './record.js'
import { SLICE_MS } from './slices.js'
import { sweepSnapshots, writeSnapshot, type GraphIdentity } from './snapshots.js'

export interface MaintenanceOptions {
  dataDir: string
  indexes: Map<number, CollectionIndex>
  /** Rebuilds a graph from the store in another thread, and gives up when it is told to stop. */
  rebuild: (identity: GraphIdentity, stopped: AbortSignal) => Promise<HnswGraph | undefined>
  onProblem: (message: string) => void
}

/** Labels that may wait for their graph before adds are held back. */
const MAX_PENDING = 5000
/** Changes after which a graph is saved: so many, and that part of it. */
const SAVE_AFTER = 1000
const SAVE_PART = 0.1
/** Dead labels over which a graph is rebuilt: that part of it, in a graph of some size. */
const DEAD_PART = 1 / 3
const REBUILD_FROM = 1000
/** After a rebuild that failed the next one waits. */
const REBUILD_AGAIN_MS = 60_000
/** How often it is looked whether a graph should be saved or rebuilt, while labels wait all the time. */
const MAINTAIN_EVERY_MS = 10_000
/** How long an add is held back at most. */
const MAX_HOLD_MS = 30_000

/** A graph that was saved. */
export interface SavedGraph {
  modality: Modality
  /** Live labels in it. */
  records: number
  bytes: number
  tookMs: number
}

/** A collection whose graphs someone wants saved. */
interface Demand {
  saved: Promise<SavedGraph[]>
  settle: { resolve: (saved: SavedGraph[]) => void; reject: (error: unknown) => void }
}

/**
 * The work on graphs that goes on beside searches, one thing at a time: waiting labels move in, a slice at a
 * time; a graph that changed much is saved; one that is a third dead is rebuilt elsewhere and swapped.
 */
export class Maintenance {
  readonly #options: MaintenanceOptions
  #running: Promise<void> | undefined
  #turn = 0
  #nextRebuild = 0
  /** Labels that went into their graphs so far. */
  inserted = 0
  /** By collection; who asks while one waits gets the same. */
  readonly #demands = new Map<number, Demand>()
  readonly #stop = new AbortController()

  constructor(options: MaintenanceOptions) {
    this.#options = options
  }

  /** Labels that wait, in all graphs. */
  get pending(): number {
    let total = 0
    for (const [, , index] of this.#all()) total += index.pending
    return total
  }

  /** Starts the work unless it goes on; resolves when there is none left. */
  wake(): Promise<void> {
    this.#running ??= this.#work()
      .catch((error) => {
        this.#options.onProblem(`maintenance of the graphs failed: ${error.message}`)
        this.#refuseDemands(error)
      })
      .finally(() => (this.#running = undefined))
    return this.#running
  }

  /** Resolves when few enough labels wait that more may come. */
  async room(): Promise<void> {
    // Not for ever: what was committed and can be searched should be acknowledged before its client gives up.
    const giveUp = performance.now() + MAX_HOLD_MS
    while (this.pending > MAX_PENDING && !this.#stop.signal.aborted && performance.now() < giveUp)
      await sleep(SLICE_MS)
  }

  /**
   * Saves the graphs of a collection, with the labels that wait by now, when what is under way is done; none
   * where it is dropped meanwhile. Throws STORAGE_FULL, STORAGE_UNWRITABLE or CLOSED.
   */
  save(collection: number): Promise<SavedGraph[]> {
    if (this.#stop.signal.aborted) return Promise.reject(new Closed())
    let demand = this.#demands.get(collection)
    if (!demand) {
      let settle!: Demand['settle']
      const saved = new Promise<SavedGraph[]>((resolve, reject) => (settle = { resolve, reject }))
      this.#demands.set(collection, (demand = { saved, settle }))
    }
    void this.wake()
    return demand.saved
  }

  /**
   * Ends the work, then saves what changed: a thread that is ended within hnswlib takes the process with it.
   */
  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
    this.#refuseDemands(new Closed())
    for (const [collection, modality, index] of this.#all())
      if (index.unsaved > 0) await this.#save({ collection, modality }, index)
  }

  #refuseDemands(error: unknown): void {
    for (const { settle } of this.#demands.values()) settle.reject(error)
    this.#demands.clear()
  }

  async #work(): Promise<void> {
    let nextLook = performance.now() + MAINTAIN_EVERY_MS
    while (!this.#stop.signal.aborted) {
      // Under a load without end there is always something that waits; saving and rebuilding must have their
      // turns.
      const isDue = performance.now() >= nextLook
      const [demanded] = this.#demands
      if (demanded) await this.#saveDemanded(...demanded)
      else if (this.pending > 0 && !isDue) await this.#insert()
      else if (!(await this.#maintain()) && this.pending === 0) return
      if (isDue) nextLook = performance.now() + MAINTAIN_EVERY_MS
    }
  }

  async #insert(): Promise<void> {
    const until = performance.now() + SLICE_MS
    const waiting = [...this.#all()].filter(([, , index]) => index.pending > 0)
    // Another one is first each time, so that a busy collection does not keep the others waiting.
    const first = this.#turn++ % Math.max(1, waiting.length)
    for (const [, , index] of [...waiting.slice(first), ...waiting.slice(0, first)]) {
      if (performance.now() < until) this.inserted += index.insertPending(until, this.#options.onProblem)
    }
    await nextTurn()
  }

  /** Does one thing that is due; resolves to whether there was one. */
  async #maintain(): Promise<boolean> {
    for (const [collection, modality, index] of this.#all()) {
      if (
        performance.now() >= this.#nextRebuild &&
        index.graph.count >= REBUILD_FROM &&
        index.dead > DEAD_PART * index.graph.count
      ) {
        await this.#rebuild({ collection, modality }, index)
        return true
      }
      if (index.unsaved >= Math.max(SAVE_AFTER, SAVE_PART * index.size)) {
        await this.#save({ collection, modality }, index)
        return true
      }
    }
    return false
  }

  async #saveDemanded(collection: number, { settle }: Demand): Promise<void> {
    this.#demands.delete(collection)
    const saved: SavedGraph[] = []
    try {
      for (const modality of MODALITIES) {
        const index = this.#options.indexes.get(collection)?.modalities[modality]
        if (!index) continue
        // Those that wait now: under a load without end there are always others.
        for (let left = index.pending; left > 0 && index.pending > 0 && !this.#stop.signal.aborted;) {
          const before = index.pending
          await this.#insert()
          left -= Math.max(1, before - index.pending)
        }
        if (index.size === 0) continue
        const { unsaved } = index
        saved.push(
          await this.#write({ collection, modality }, index).catch((error) => {
            // The end of the service tries again.
            index.unsaved += unsaved
            throw error
          })
        )
      }
      settle.resolve(saved)
    } catch (error) {
      settle.reject(storageError(error))
    }
  }

  async #save(which: { collection: number; modality: Modality }, index: ModalityIndex): Promise<void> {
    await this.#write(which, index).catch((error) =>
      this.#options.onProblem(`a snapshot could not be written: ${error.message}`)
    )
  }

  async #write(which: { collection: number; modality: Modality }, index: ModalityIndex): Promise<SavedGraph> {
    const { dataDir, indexes } = this.#options
    // What changes from here on is not in the snapshot for sure.
    index.unsaved = 0
    const { dimension, settings: hnsw, size, pending } = index
    const startedAt = performance.now()
    try {
      const bytes = await writeSnapshot(dataDir, { ...which, dimension, hnsw }, index.graph)
      return {
        modality: which.modality,
        records: size - pending,
        bytes,
        tookMs: performance.now() - startedAt
      }
    } finally {
      // It may have been dropped, and its folder with it, while this was written.
      if (!indexes.has(which.collection)) sweepSnapshots(dataDir, (collection) => indexes.has(collection))
    }
  }

  async #rebuild(which: { collection: number; modality: Modality }, index: ModalityIndex): Promise<void> {
    const { dimension, settings: hnsw } = index
    // Waiting labels move into the old graph meanwhile; the difference to the new one is found when it is
    // adopted.
    let done = false
    const rebuilt = this.#options
      .rebuild({ ...which, dimension, hnsw }, this.#stop.signal)
      .finally(() => (done = true))
    while (!done && !this.#stop.signal.aborted) {
      if (this.pending > 0) await this.#insert()
      else
        await Promise.race([
          rebuilt.catch(() => undefined),
          new Promise((resolve) => setTimeout(resolve, SLICE_MS))
        ])
    }
    const graph = await rebuilt.catch((error) =>
      this.#options.onProblem(`a graph could not be rebuilt: ${error.message}`)
    )
    if (graph) index.adopt(graph)
    // The old graph serves on; what failed once is not tried again and again.
    else this.#nextRebuild = performance.now() + REBUILD_AGAIN_MS
  }

  *#all(): Generator<[number, Modality, ModalityIndex]> {
    for (const [collection, { modalities }] of this.#options.indexes)
      for (const modality of MODALITIES) yield [collection, modality, modalities[modality]]
  }
}
