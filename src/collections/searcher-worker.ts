import { parentPort, workerData } from 'node:worker_threads'
import { handOver } from '../threading/hand-over.js'
import { handler, reportReady, startThreadPool } from '../threading/thread-pool.js'
import {
  CollectionIndex,
  type CollectionSearch,
  type Explanation,
  type RecordHit
} from './collection-index.js'
import type { Facets } from './facets.js'
import type { Filter } from './filter.js'
import type { HnswGraph } from './hnsw-graph.js'
import { sampleMatrix, type Matrix, type MatrixOptions } from './matrix.js'
import { packMatches, packRecords, type PackedMatch, type PackedRecord } from './packed-matches.js'
import { DEFAULT_HNSW, MODALITIES, type Match, type Modality, type StoredCollection } from './record.js'
import { scoreRecords, type ScoresOptions } from './scores.js'
import { packSelection, type Selection } from './selection.js'
import { inSlices, stopFlag, type StopFlag } from './slices.js'
import { readSnapshot, sweepSnapshots, type GraphIdentity } from './snapshots.js'
import { openReader, storeFailure } from './sqlite/connection.js'
import { createStoreReader, type CollectionCounts, type StoreReader } from './sqlite/reads.js'
import type { RecordPage } from './stores/record-page.js'
import type { StoreCall } from './store-read.js'
import { removeIndex, syncIndexes, type Indexes } from './sync-indexes.js'
import { Maintenance, type SavedGraph } from './maintenance.js'
import type { RecordChange } from './sqlite/record-change.js'

/** What the searcher reports: how far the graphs are at the start, and what went wrong on the way. */
export type SearcherReport = { indexed: number; total: number } | { problem: string }

export interface IndexChange {
  collection: number
  changes: RecordChange[]
  /** By change one vector an added label, in the same order. */
  vectors: Float32Array[][]
}

export interface SearchCall extends CollectionSearch {
  collection: number
  query: Float32Array
  /** Ids of records that are left out: those that the query came from. */
  without?: string[]
  /** Matches that are passed over. */
  offset?: number
  /** Least score. */
  scoreThreshold?: number
  /** Least part of the best match's score, 0 to 1: cosines of different queries have different heights. */
  relativeThreshold?: number
  withEmbeddings?: boolean
}

// The searcher thread: a read-only connection and all indexes, so that scans, graphs and joins hold no other
// thread.
const { dataDir } = workerData as { dataDir: string }
const store = openedStore()
const indexes: Indexes = new Map()
const REPORT_EVERY_MS = 250
const report = (message: SearcherReport) => parentPort?.postMessage(message)
const onProblem = (problem: string) => report({ problem })
const maintenance = new Maintenance({ dataDir, indexes, rebuild: rebuildElsewhere, onProblem })

async function rebuildElsewhere(
  identity: GraphIdentity,
  stopped: AbortSignal
): Promise<HnswGraph | undefined> {
  const stop = stopFlag(stopped)
  const thread = await startThreadPool<typeof import('./rebuild-worker.js')>(
    new URL('./rebuild-worker.js', import.meta.url),
    { name: 'rebuild', count: 1, workerData }
  )
  try {
    return (await thread.call('rebuild', { identity, stop }))
      ? await readSnapshot(dataDir, { ...identity, highestLabel: store.highestLabel() }, onProblem)
      : undefined
  } finally {
    await thread.close()
  }
}

function openedStore(): StoreReader {
  try {
    return createStoreReader(openReader(dataDir))
  } catch (error) {
    throw storeFailure(error, dataDir)
  }
}

/** Reads the store, and the snapshots of the graphs. */
async function load(): Promise<void> {
  const collections = syncIndexes(indexes, store)
  sweepSnapshots(dataDir, (collection) => indexes.has(collection))
  for (const { id, dimension, hnsw } of collections) {
    for (const modality of MODALITIES) {
      const index = indexes.get(id)!.modalities[modality]
      const graph =
        index.size > 0 &&
        (await readSnapshot(
          dataDir,
          { collection: id, modality, dimension, hnsw, highestLabel: store.highestLabel() },
          onProblem
        ))
      if (graph) index.adopt(graph)
      index.unsaved = index.pending
    }
  }
}

/** Builds what the snapshots lacked, reporting how far it is. Searches are answered by scans meanwhile. */
function catchUp(): void {
  const total = maintenance.pending
  void maintenance.wake()
  if (total === 0) return
  report({ indexed: 0, total })
  const before = maintenance.inserted
  const timer = setInterval(() => {
    // Those that were there at the start go first; what comes meanwhile is not waited for.
    const indexed = maintenance.pending === 0 ? total : Math.min(total, maintenance.inserted - before)
    report({ indexed, total })
    if (indexed === total) clearInterval(timer)
  }, REPORT_EVERY_MS)
}

/** Opens the indexes of a new collection. */
export const open = handler((collection: StoredCollection) => {
  if (!indexes.has(collection.id)) indexes.set(collection.id, new CollectionIndex(collection))
})

/** Takes a collection's changed settings. */
export const configure = handler(({ id, hnsw }: StoredCollection) => {
  const index = indexes.get(id)
  if (index) for (const modality of MODALITIES) index.modalities[modality].settings = hnsw
})

/** Reads the store anew, where it is not known what became of a write. */
export const resync = handler(() => {
  syncIndexes(indexes, store)
  void maintenance.wake()
})

/** Frees the indexes of a dropped collection. */
export const drop = handler((collection: number) => {
  removeIndex(indexes, collection)
  sweepSnapshots(dataDir, (other) => indexes.has(other))
})

/** Takes a committed change in; it is searchable when this resolves. */
export const apply = handler(async ({ collection, changes, vectors }: IndexChange) => {
  const index = indexes.get(collection)
  if (!index) return
  changes.forEach((change, i) => index.apply(change, vectors[i]))
  void maintenance.wake()
  if (changes.some(({ added }) => added.length > 0)) await maintenance.room()
})

/** Takes committed embeddings of records that are there in; they are searchable when this resolves. */
export const embed = handler(
  async ({
    collection,
    embeddings
  }: {
    collection: number
    embeddings: { key: number; label: number; modality: Modality; vector: Float32Array }[]
  }) => {
    for (const { key, vector, ...embedding } of embeddings)
      indexes.get(collection)?.add(key, embedding, vector)
    void maintenance.wake()
    await maintenance.room()
  }
)

/**
 * The best matches, joined to the store: hits whose record went meanwhile are dropped and the search refills.
 */
export const search = handler(
  async ({
    collection,
    query,
    withEmbeddings = false,
    ...options
  }: SearchCall): Promise<{ matches: PackedMatch[]; explanation: Explanation }> => {
    await prepare({ collection, filter: options.filter })
    const index = indexes.get(collection)
    const { limit, offset = 0, without = [] } = options
    const wanted = offset + limit
    for (let depth = wanted + without.length; ; depth *= 2) {
      const { hits, explanation } = index?.search(query, { ...options, limit: depth }) ?? NOTHING
      // Ids alone are read of what only counts: metadata of thousands of records would be parsed to be passed
      // over.
      const present = hits.filter((hit) => {
        const id = idOf(hit)
        return id !== undefined && !without.includes(id)
      })
      const kept = cutOff(present, options)
      if (kept.length < wanted && hits.length === depth && kept.length === present.length) continue
      const page = kept.slice(offset, wanted).flatMap((hit) => toMatch(hit, options))
      const { matches, memory } = packMatches(
        withEmbeddings
          ? page.map((match) => ({ ...match, embeddings: store.embeddingsOf(collection, match.record.id) }))
          : page
      )
      return handOver({ matches, explanation }, [memory])
    }
  }
)

/**
 * Finds what passes a costly filter in slices, so that other searches go on; what follows in the same turn
 * has it at hand.
 */
async function prepare({
  collection,
  filter,
  stop = NEVER
}: {
  collection: number
  filter?: Filter
  stop?: StopFlag
}): Promise<void> {
  const index = indexes.get(collection)
  if (filter && index) await inSlices(index.prepare(filter), stop)
}

const NEVER: StopFlag = new Int32Array(1)
const NOTHING = { hits: [], explanation: { strategy: 'exact' as const, passed: 0, total: 0 } }

function cutOff(
  hits: RecordHit[],
  { scoreThreshold = -Infinity, relativeThreshold }: Pick<SearchCall, 'scoreThreshold' | 'relativeThreshold'>
): RecordHit[] {
  const best = hits[0]?.score ?? 0
  // Of a negative best score no part is less.
  const least = Math.max(
    scoreThreshold,
    relativeThreshold === undefined || best <= 0 ? -Infinity : relativeThreshold * best
  )
  return hits.filter(({ score }) => score >= least)
}

function idOf({ key, label }: RecordHit): string | undefined {
  return label === undefined ? store.idByKey(key) : store.idByLabel(label)
}

function toMatch({ key, label, score }: RecordHit, { target }: Pick<SearchCall, 'target'>): Match<string>[] {
  // By label, a record whose embedding was replaced meanwhile is not found under the score of the old one.
  const record = label === undefined ? store.recordByKey(key) : store.recordByLabel(label)
  return record ? [{ record, modality: target, score }] : []
}

/** Records in the order of their ids, after an id, those that pass a filter. */
export const list = handler(
  async ({
    collection,
    filter,
    ...page
  }: RecordPage & { collection: number; filter?: Filter }): Promise<PackedRecord[]> => {
    await prepare({ collection, filter })
    const keys = filter && new Set(indexes.get(collection)?.select(filter))
    const { records, memory } = packRecords(store.page(collection, page, keys && ((key) => keys.has(key))))
    return handOver(records, [memory])
  }
)

/** The records that pass a filter, as they are now. */
export const select = handler(
  async ({ collection, filter }: { collection: number; filter: Filter }): Promise<Selection> => {
    await prepare({ collection, filter })
    const { selection, memory } = packSelection(
      (indexes.get(collection)?.select(filter) ?? []).flatMap((key) => store.versionByKey(key) ?? [])
    )
    return handOver(selection, [memory])
  }
)

/** A call that is worked on in slices, and answers undefined when it was stopped. */
type Walk<Options> = Options & { collection: number; stop: StopFlag }

/** What the records that pass a filter hold in the fields of their metadata. */
export const facets = handler(
  async ({ stop, ...call }: Walk<{ filter?: Filter; limit: number }>): Promise<Facets | undefined> => {
    await prepare({ ...call, stop })
    return inSlices(indexOf(call).facets(call), stop)
  }
)

/** How the records of a sample lie to each other. */
export const matrix = handler(async ({ stop, ...call }: Walk<MatrixOptions>): Promise<Matrix | undefined> => {
  await prepare({ ...call, stop })
  return inSlices(sampleMatrix(indexOf(call), call, store.idByLabel), stop)
})

/** The cosines of a query with some records. */
export const scores = handler(({ stop, ...call }: Walk<ScoresOptions>): Promise<Float32Array | undefined> =>
  inSlices(
    scoreRecords(indexOf(call), call, (id) => store.keyById(call.collection, id)),
    stop
  )
)

/** The indexes of a collection; empty ones where it was dropped meanwhile. */
function indexOf({ collection }: { collection: number }): CollectionIndex {
  return indexes.get(collection) ?? new CollectionIndex({ dimension: 1, hnsw: DEFAULT_HNSW })
}

/** Saves the graphs of a collection; undefined where there is none any more. */
export const snapshot = handler(async (collection: number): Promise<SavedGraph[] | undefined> => {
  // What fails because it was dropped is no fault of the disk.
  const saved = await maintenance
    .save(collection)
    .catch((error) => (indexes.has(collection) ? Promise.reject(error) : undefined))
  return indexes.has(collection) ? saved : undefined
})

/** Counts of a collection: its records and kept bytes, and its live vectors by modality. */
export const counts = handler(
  (collection: number): (CollectionCounts & Record<Modality, number>) | undefined => {
    const stored = store.counts(collection)
    const index = indexes.get(collection)
    return (
      stored && index && { ...stored, image: index.modalities.image.size, text: index.modalities.text.size }
    )
  }
)

/** Labels that wait for their graph, in all. */
export const pending = handler(() => maintenance.pending)

/** A read of the store that needs no index. */
export const read = handler(({ operation, args }: StoreCall) =>
  (store[operation] as (...args: unknown[]) => unknown)(...args)
)

/** Ends the work on graphs and saves what changed. */
export const stop = handler(() => maintenance.stop())

await load().catch((error) => Promise.reject(storeFailure(error, dataDir)))
catchUp()
reportReady()
