import { LRUCache } from 'lru-cache'
import type { Filter } from './filter.js'
import { reciprocalRankFusion, weightedScore, type Fusion } from './fusion.js'
import { MetadataColumns } from './metadata-columns.js'
import { ModalityIndex } from './modality-index.js'
import { MODALITIES, type Modality, type StoredCollection, type Target } from './record.js'
import type { RowSet } from './row-set.js'
import type { RecordChange } from './store/writes.js'
import type { Hit } from './top-k.js'

export interface CollectionSearch {
  target: Target
  limit: number
  exact?: boolean
  efSearch?: number
  filter?: Filter
  /** How the two modalities become one list, for the target `record`. */
  fusion?: Fusion
}

/** A record found, by its key in the store, or by the label that matched. */
export interface RecordHit {
  key: number
  /** The embedding that matched, where one did. */
  label?: number
  score: number
}

/** How a search was done. */
export interface Explanation {
  strategy: 'exact' | 'hnsw'
  /** Records that passed the filter and hold the modality. */
  passed: number
  /** Records that hold the modality. */
  total: number
}

/** Up to so many passing records, or that part of all, a filtered search scans them: the graph would take longer. */
const SCAN_AT_MOST = 5000
const SCAN_PART = 0.15
/** Filters whose rows are kept until the collection changes. */
const CACHED_FILTERS = 32
/** Records of each modality that a fusion looks at, at least. */
const FUSION_DEPTH = 100

/** All that a collection is searched by: an index for each modality, and the metadata of its records. */
export class CollectionIndex {
  readonly modalities: Record<Modality, ModalityIndex>
  readonly #columns = new MetadataColumns()
  readonly #rowOfKey = new Map<number, number>()
  readonly #keys: number[] = []
  readonly #freeRows: number[] = []
  readonly #rowOfLabel = new Map<number, number>()
  /** By row the label of each modality, 0 for none: labels start at 1. */
  readonly #labels: Record<Modality, number[]> = { image: [], text: [] }
  readonly #passing = new LRUCache<string, RowSet>({ max: CACHED_FILTERS })

  constructor({ dimension, hnsw }: StoredCollection) {
    this.modalities = { image: new ModalityIndex(dimension, hnsw), text: new ModalityIndex(dimension, hnsw) }
  }

  /** Takes a record in, or its changed metadata. */
  put(key: number, metadata: Record<string, unknown> | null): void {
    this.#columns.set(this.#row(key), metadata)
    this.#passing.clear()
  }

  /** Adds an embedding of a record. */
  add(key: number, { label, modality }: { label: number; modality: Modality }, vector: Float32Array): void {
    const row = this.#row(key)
    this.#rowOfLabel.set(label, row)
    this.#labels[modality][row] = label
    this.modalities[modality].add(label, vector)
    this.#passing.clear()
  }

  /** Takes a committed change in; one vector an added label, in the same order. */
  apply({ key, gone, metadata, added, removed }: RecordChange, vectors: Float32Array[]): void {
    for (const { label, modality } of removed) this.#removeLabel(label, modality)
    if (gone) return this.#removeRow(key)
    this.put(key, metadata)
    added.forEach((embedding, i) => this.add(key, embedding, vectors[i]))
  }

  /** Whether an embedding is there. */
  has(label: number): boolean {
    return this.#rowOfLabel.has(label)
  }

  /** Removes the records, and the embeddings, that are not among the ones named. */
  keep(keys: Set<number>, labels: Set<number>): void {
    // By label, since a row shows only the newest of its modality; the modality that a label is not of passes it over.
    for (const label of [...this.#rowOfLabel.keys()]) if (!labels.has(label)) for (const modality of MODALITIES) this.#removeLabel(label, modality)
    for (const key of [...this.#rowOfKey.keys()]) if (!keys.has(key)) this.#removeRow(key)
  }

  /** Gives the memory of its vectors back: it is not used any more. */
  clear(): void {
    for (const modality of MODALITIES) this.modalities[modality].clear()
  }

  /** The keys of the records that pass a filter. */
  select(filter: Filter): number[] {
    const rows = this.#rows(filter)
    return [...this.#rowOfKey].flatMap(([key, row]) => (rows.has(row) ? [key] : []))
  }

  /** The best records for a normalised query, best first. */
  search(query: Float32Array, options: CollectionSearch): { hits: RecordHit[]; explanation: Explanation } {
    return options.target === 'record' ? this.#searchRecords(query, options) : this.#searchModality(query, options.target, options)
  }

  #searchModality(query: Float32Array, modality: Modality, { limit, exact = false, efSearch, filter }: CollectionSearch) {
    const index = this.modalities[modality]
    const rows = filter && this.#rows(filter)
    const labels = rows && this.#passingLabels(rows, modality)
    const passed = labels?.length ?? index.size
    const scans = exact || (labels !== undefined && passed <= Math.max(SCAN_AT_MOST, SCAN_PART * index.size))
    const hits = index.search(query, { limit, exact: scans, efSearch, labels })
    const explanation: Explanation = { strategy: scans ? 'exact' : 'hnsw', passed, total: index.size }
    return { hits: hits.map((hit) => this.#toRecordHit(hit)), explanation }
  }

  #searchRecords(query: Float32Array, options: CollectionSearch) {
    const depth = Math.max(FUSION_DEPTH, options.limit)
    const fusion = options.fusion ?? { method: 'rrf' }
    const found = MODALITIES.map((modality) => this.#searchModality(query, modality, { ...options, limit: depth }))
    // What weighs nothing brings no records in.
    const [image, text] = found.map(({ hits }, i) => (fusion.weights?.[MODALITIES[i]] === 0 ? [] : hits.map(({ key }) => key)))
    const scores = fusion.method === 'rrf' ? reciprocalRankFusion({ image, text }, fusion) : new Map([...image, ...text].map((key) => [key, weightedScore(this.#cosines(query, key), fusion)]))
    const hits = [...scores].map(([key, score]) => ({ key, score })).sort((a, b) => b.score - a.score || a.key - b.key)
    const explanation: Explanation = {
      strategy: found.every((side) => side.explanation.strategy === 'exact') ? 'exact' : 'hnsw',
      passed: Math.max(...found.map((side) => side.explanation.passed)),
      total: this.#rowOfKey.size
    }
    return { hits: hits.slice(0, options.limit), explanation }
  }

  #cosines(query: Float32Array, key: number): Partial<Record<Modality, number>> {
    const row = this.#rowOfKey.get(key)!
    const cosines: Partial<Record<Modality, number>> = {}
    for (const modality of MODALITIES) {
      const score = this.modalities[modality].score(query, this.#labels[modality][row] ?? 0)
      if (score !== undefined) cosines[modality] = score
    }
    return cosines
  }

  #toRecordHit({ label, score }: Hit): RecordHit {
    return { key: this.#keys[this.#rowOfLabel.get(label)!], label, score }
  }

  #passingLabels(rows: RowSet, modality: Modality): number[] {
    const labels: number[] = []
    const byRow = this.#labels[modality]
    rows.forEach((row) => {
      const label = byRow[row]
      if (label) labels.push(label)
    })
    return labels
  }

  #rows(filter: Filter): RowSet {
    const name = JSON.stringify(filter)
    let rows = this.#passing.get(name)
    if (!rows) this.#passing.set(name, (rows = this.#columns.rows(filter)))
    return rows
  }

  #row(key: number): number {
    let row = this.#rowOfKey.get(key)
    if (row === undefined) {
      row = this.#freeRows.pop() ?? this.#keys.length
      this.#rowOfKey.set(key, row)
      this.#keys[row] = key
    }
    return row
  }

  #removeLabel(label: number, modality: Modality): void {
    const row = this.#rowOfLabel.get(label)
    if (row !== undefined && this.#labels[modality][row] === label) this.#labels[modality][row] = 0
    this.#rowOfLabel.delete(label)
    this.modalities[modality].remove(label)
    this.#passing.clear()
  }

  #removeRow(key: number): void {
    const row = this.#rowOfKey.get(key)
    if (row === undefined) return
    this.#columns.remove(row)
    this.#rowOfKey.delete(key)
    this.#freeRows.push(row)
    this.#passing.clear()
  }
}
