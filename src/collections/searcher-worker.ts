import { setImmediate as nextTurn } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { handler, reportReady } from '../threads.js'
import { ModalityIndex, type SearchOptions } from './modality-index.js'
import { MODALITIES, type Match, type Modality, type StoredCollection, type StoredRecord } from './record.js'
import { openReader } from './store/connection.js'
import { createStoreReader, type CollectionCounts } from './store/reads.js'
import type { Written } from './store/writes.js'

/** Labels that may wait for their graph before adds are held back. */
const MAX_PENDING = 5000
/** How long the graph is built before calls are looked at again. */
const SLICE_MS = 4

/** What the searcher reports while it starts. */
export interface IndexProgress {
  indexed: number
  total: number
}

export interface IndexChange extends Pick<Written, 'added' | 'removed'> {
  collection: number
  /** One vector an added label, in the same order. */
  vectors: Float32Array[]
}

export interface SearchCall extends SearchOptions {
  collection: number
  modality: Modality
  query: Float32Array
}

// The searcher thread: a read-only connection and all indexes, so that scans, graphs and joins hold no other thread.
const { dataDir } = workerData as { dataDir: string }
const store = createStoreReader(openReader(dataDir))
const indexes = new Map<number, Record<Modality, ModalityIndex>>()
let building: Promise<void> | undefined
let stopping = false

function openIndexes({ id, dimension, hnsw }: StoredCollection): void {
  if (!indexes.has(id)) indexes.set(id, { image: new ModalityIndex(dimension, hnsw), text: new ModalityIndex(dimension, hnsw) })
}

function* allIndexes(): Generator<ModalityIndex> {
  for (const byModality of indexes.values()) yield* MODALITIES.map((modality) => byModality[modality])
}

function totalPending(): number {
  let total = 0
  for (const index of allIndexes()) total += index.pending
  return total
}

/** Moves waiting labels into their graphs, a slice at a time, so that searches go on in between. */
function build(onSlice?: (pending: number) => void): Promise<void> {
  building ??= (async () => {
    while (totalPending() > 0 && !stopping) {
      const until = performance.now() + SLICE_MS
      for (const index of allIndexes()) if (performance.now() < until) index.insertPending(until)
      onSlice?.(totalPending())
      await nextTurn()
    }
    building = undefined
  })()
  return building
}

function readVectors(): void {
  store.collections().forEach(openIndexes)
  for (const { collection, modality, label, vector } of store.embeddings()) indexes.get(collection)?.[modality].add(label, vector)
}

/** Builds the graphs of what was read, reporting how far it is. Searches are answered by scans meanwhile. */
async function rebuild(): Promise<void> {
  const total = totalPending()
  if (total === 0) return
  let reported = 0
  const report = (indexed: number) => {
    reported = indexed
    parentPort?.postMessage({ indexed, total } satisfies IndexProgress)
  }
  report(0)
  await build((pending) => {
    const indexed = Math.max(reported, total - pending)
    if (pending === 0 || indexed - reported > total / 20) report(pending === 0 ? total : indexed)
  })
}

/** Opens the indexes of a new collection. */
export const open = handler(openIndexes)

/** Takes a collection's changed settings. */
export const configure = handler(({ id, hnsw }: StoredCollection) => {
  for (const modality of MODALITIES) indexes.get(id)?.[modality].configure(hnsw)
})

/** Frees the indexes of a dropped collection. */
export const drop = handler((collection: number) => void indexes.delete(collection))

/** Takes a committed change in; it is searchable when this resolves. */
export const apply = handler(async ({ collection, added, removed, vectors }: IndexChange) => {
  const target = indexes.get(collection)
  if (!target) return
  for (const { label, modality } of removed) target[modality].remove(label)
  // An id twice in one write: the first one's label was never the record's to anyone else.
  const gone = new Set(removed.map(({ label }) => label))
  added.forEach(({ label, modality }, i) => gone.has(label) || target[modality].add(label, vectors[i]))
  void build()
  while (totalPending() > MAX_PENDING && !stopping) await nextTurn()
})

/** Ends the building of graphs: a thread that is ended within hnswlib takes the process with it. */
export const stop = handler(async () => {
  stopping = true
  await building
})

/** The best matches, joined to the store: hits whose record went meanwhile are dropped and the search refills. */
export const search = handler(({ collection, modality, query, ...options }: SearchCall): Match[] => {
  const index = indexes.get(collection)?.[modality]
  if (!index) return []
  for (let limit = options.limit; ; limit *= 2) {
    const hits = index.search(query, { ...options, limit })
    const matches = hits.flatMap(({ label, score }): Match[] => {
      const record = store.recordByLabel(label)
      return record ? [{ record, modality, score }] : []
    })
    if (matches.length >= options.limit || hits.length < limit) return matches.slice(0, options.limit)
  }
})

/** One record. */
export const record = handler(({ collection, id }: { collection: number; id: string }): StoredRecord | undefined => store.record(collection, id))

/** Counts of a collection: its records and kept bytes, and its live vectors by modality. */
export const counts = handler((collection: number): (CollectionCounts & Record<Modality, number>) | undefined => {
  const stored = store.counts(collection)
  const index = indexes.get(collection)
  return stored && index && { ...stored, image: index.image.size, text: index.text.size }
})

/** All collections of the store. */
export const collections = handler((): StoredCollection[] => store.collections())

readVectors()
void rebuild()
reportReady()
