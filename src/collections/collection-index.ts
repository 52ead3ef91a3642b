import { LRUCache } from 'lru-cache'
import { FilterInvalid } from '../errors.js'
import { countFacets, type Facets } from './facets.js'
import type { Filter, Scalar } from './filter.js'
import { weightsOf, type Fusion } from './fusion.js'
import { MetadataColumns, toScalar } from './metadata-columns.js'
import { ModalityIndex } from './modality-index.js'
import { MODALITIES, type Modality, type StoredCollection, type Target } from './record.js'
import { SCAN_PART } from './paged-search.js'
import { RECORD_DEPTHS, fusedScores, withRest } from './record-search.js'
import type { RowSet } from './row-set.js'
import { TopK, type Hit } from './top-k.js'
import type { RecordChange } from './sqlite/record-change.js'

export interface CollectionSearch {
  target: Target
  /** Hits that are wanted, from the best on: those of a lower limit are the first of a higher one. */
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
  /** Records whose scores were compared, for the target `record`. */
  candidates?: number
}

/**
 * Up to so many embeddings, all or those that pass a filter, a search scans them: it takes a millisecond, and
 * the graph no less.
 */
const SCAN_AT_LEAST = 5000
/**
 * A scan looks at all that pass; the graph at the more the fewer of all pass. So they cost the same where the
 * square of the passing grows with the total, by a factor of 2,250 where vectors stay in the processor's
 * caches, and 1,000 where not.
 */
const SCAN_SQUARE = 1000
/** Values that the conditions of a filter may be compared with, in all: about a second's work. */
const MAX_COMPARED = 50_000_000
/** Up to so many are compared in one piece: a few milliseconds' work. */
const COMPARED_AT_ONCE = 2 ** 18
/** Filters whose rows are kept until the collection changes. */
const CACHED_FILTERS = 32

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
  /** By row the inner product of its own two embeddings, undefined until it is asked for. */
  readonly #inner: (number | undefined)[] = []
  readonly #passing = new LRUCache<string, RowSet>({ max: CACHED_FILTERS })

  constructor({ dimension, hnsw }: Pick<StoredCollection, 'dimension' | 'hnsw'>) {
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
    this.#inner[row] = undefined
    this.modalities[modality].add(label, vector)
    this.#passing.clear()
  }

  /** Takes a committed change in; one vector an added label, in the same order. */
  apply({ key, gone, metadata, added, removed }: RecordChange, vectors: Float32Array[]): void {
    for (const { label, modality } of removed) this.#removeLabel(label, modality)
    if (gone) return this.#removeRow(key)
    this.put(key, metadata === null ? null : JSON.parse(metadata))
    added.forEach((embedding, i) => this.add(key, embedding, vectors[i]))
  }

  /** Whether an embedding is there. */
  has(label: number): boolean {
    return this.#rowOfLabel.has(label)
  }

  /** Removes the records, and the embeddings, that are not among the ones named. */
  keep(keys: Set<number>, labels: Set<number>): void {
    // By label, since a row shows only the newest of its modality; the modality that a label is not of passes
    // it over.
    for (const label of [...this.#rowOfLabel.keys()])
      if (!labels.has(label)) for (const modality of MODALITIES) this.#removeLabel(label, modality)
    for (const key of [...this.#rowOfKey.keys()]) if (!keys.has(key)) this.#removeRow(key)
  }

  /** Gives the memory of its vectors back: it is not used any more. */
  clear(): void {
    for (const modality of MODALITIES) this.modalities[modality].clear()
  }

  /**
   * Finds the rows that pass a filter, in work that may be interrupted; what is asked next in the same turn
   * has them. A filter that takes no longer than a slice is left to that. Throws FILTER_INVALID for one that
   * costs too much.
   */
  *prepare(filter: Filter): Generator<void, void> {
    const cost = this.#columns.cost(filter)
    if (cost > MAX_COMPARED) {
      throw new FilterInvalid(
        `The filter would compare ${cost} metadata values of this collection; at most ${MAX_COMPARED} ` +
          'are allowed. Send fewer conditions: one $in takes many values of a field.'
      )
    }
    const name = JSON.stringify(filter)
    if (cost <= COMPARED_AT_ONCE || this.#passing.has(name)) return
    const rows = yield* this.#columns.rowsInSteps(filter)
    this.#passing.set(name, rows)
  }

  /** The keys of the records that pass a filter. */
  select(filter: Filter): number[] {
    const rows = this.#rows(filter)
    return [...this.#rowOfKey].flatMap(([key, row]) => (rows.has(row) ? [key] : []))
  }

  /** The labels of the records that hold a modality, those that pass a filter. */
  labels(modality: Modality, filter?: Filter): number[] {
    return filter ? this.#passingLabels(this.#rows(filter), modality) : this.modalities[modality].labels()
  }

  /** The label of a record's modality, undefined where there is none. */
  labelOf(key: number | undefined, modality: Modality): number | undefined {
    const row = key === undefined ? undefined : this.#rowOfKey.get(key)
    return row === undefined ? undefined : this.#labels[modality][row] || undefined
  }

  /**
   * What the record of a label holds in a field of its metadata, null where it is nothing: an object has no
   * value of its own.
   */
  value(label: number, field: string): Scalar | Scalar[] | null {
    const row = this.#rowOfLabel.get(label)
    const cell = row === undefined ? undefined : this.#columns.columns.get(field)?.cells[row]
    if (cell === undefined) return null
    if (!Array.isArray(cell)) return toScalar(cell)
    return cell.length === 0 ? null : cell.map(toScalar)
  }

  /**
   * What the records that pass a filter hold in the fields of their metadata, in work that may be
   * interrupted.
   */
  facets({ filter, limit }: { filter?: Filter; limit: number }): Generator<void, Facets> {
    return countFacets(this.#columns, { rows: filter && this.#rows(filter), limit })
  }

  /** The best records for a normalised query, best first. */
  search(query: Float32Array, options: CollectionSearch): { hits: RecordHit[]; explanation: Explanation } {
    return options.target === 'record'
      ? this.#searchRecords(query, options)
      : this.#searchModality(query, options.target, options)
  }

  #searchModality(query: Float32Array, modality: Modality, options: CollectionSearch) {
    const { hits, explanation } = this.#modalityHits(query, modality, options)
    return { hits: hits.map((hit) => this.#toRecordHit(hit)), explanation }
  }

  #modalityHits(
    query: Float32Array,
    modality: Modality,
    { limit, exact, efSearch, filter }: CollectionSearch
  ): { hits: Hit[]; explanation: Explanation } {
    const index = this.modalities[modality]
    const labels = filter && this.labels(modality, filter)
    const passed = labels?.length ?? index.size
    const { hits, isExact } = index.search(query, {
      limit,
      exact: exact || isScanned(passed, index.size),
      efSearch,
      labels
    })
    return { hits, explanation: { strategy: isExact ? 'exact' : 'hnsw', passed, total: index.size } }
  }

  /**
   * Records by both modalities: all that pass where they are few, where many are wanted or it is to be exact,
   * otherwise the best of each modality. The depths are the same for every limit, so that pages fit together.
   */
  #searchRecords(
    query: Float32Array,
    options: CollectionSearch
  ): { hits: RecordHit[]; explanation: Explanation } {
    const { limit, filter } = options
    const passing = filter && this.#rowList(filter)
    const explanation: Explanation = {
      strategy: 'hnsw',
      passed: passing?.length ?? this.#rowOfKey.size,
      total: this.#rowOfKey.size
    }
    let hits: Hit[] = []
    for (const { most, window } of RECORD_DEPTHS) {
      const exact = options.exact || this.#scansRecords(window, filter)
      if (exact && hits.length === 0) explanation.strategy = 'exact'
      const { rows, best } = this.#fuse(query, {
        ...options,
        limit: exact ? limit : Math.min(most, limit),
        window: exact ? undefined : window,
        passing
      })
      explanation.candidates = rows.length
      hits = withRest(hits, best)
      if (hits.length >= limit || exact) break
    }
    return { hits: hits.slice(0, limit).map(({ label, score }) => ({ key: label, score })), explanation }
  }

  /** The best records by key: of those that are among the best of a modality, or of all without a window. */
  #fuse(
    query: Float32Array,
    options: CollectionSearch & { window?: number; passing?: number[] }
  ): { rows: number[]; best: Hit[] } {
    const { window, passing, fusion = { method: 'rrf' } } = options
    const lists =
      window === undefined ? undefined : this.#fusionLists(query, { ...options, limit: window, fusion })
    const rows = lists ? this.#rowsOf(lists) : (passing ?? [...this.#rowOfKey.values()])
    const scores = fusedScores(
      { modalities: this.modalities, labels: this.#labels, inner: (row) => this.#innerOf(row) },
      rows,
      { query, fusion, lists }
    )
    const best = new TopK(options.limit)
    rows.forEach((row, i) => Number.isNaN(scores[i]) || best.push(this.#keys[row], scores[i]))
    return { rows, best: best.sorted() }
  }

  #rowsOf(lists: Record<Modality, Hit[]>): number[] {
    return [
      ...new Set(
        MODALITIES.flatMap((modality) => lists[modality].map(({ label }) => this.#rowOfLabel.get(label)!))
      )
    ]
  }

  #scansRecords(window: number, filter?: Filter): boolean {
    return MODALITIES.every((modality) => {
      const { size } = this.modalities[modality]
      const passed = filter ? this.labels(modality, filter).length : size
      return window >= SCAN_PART * size || isScanned(passed, size)
    })
  }

  /** The best of each modality; none of one that weighs nothing. */
  #fusionLists(
    query: Float32Array,
    { limit, efSearch, filter, fusion }: CollectionSearch & { fusion: Fusion }
  ): Record<Modality, Hit[]> {
    const weights = weightsOf(fusion)
    const [image, text] = MODALITIES.map((modality) => {
      if (weights[modality] === 0) return []
      const index = this.modalities[modality]
      const labels = filter && this.labels(modality, filter)
      const exact = limit >= SCAN_PART * index.size || isScanned(labels?.length ?? index.size, index.size)
      return exact
        ? index.search(query, { limit, exact, labels }).hits
        : index.candidates(query, { limit, efSearch, labels })
    })
    return { image, text }
  }

  #innerOf(row: number): number {
    const known = this.#inner[row]
    if (known !== undefined) return known
    const [image, text] = MODALITIES.map((modality) =>
      this.modalities[modality].vector(this.#labels[modality][row] ?? 0)
    )
    return (this.#inner[row] = image && text ? dotProduct(image, text) : NaN)
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

  #rowList(filter: Filter): number[] {
    const rows: number[] = []
    this.#rows(filter).forEach((row) => rows.push(row))
    return rows
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
    if (row !== undefined && this.#labels[modality][row] === label) {
      this.#labels[modality][row] = 0
      this.#inner[row] = undefined
    }
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

/** Whether so many embeddings that may be found are scanned, of so many in all. */
function isScanned(passed: number, total: number): boolean {
  return passed <= Math.max(SCAN_AT_LEAST, Math.sqrt(SCAN_SQUARE * total))
}

function dotProduct(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let d = 0; d < a.length; d++) sum += a[d] * b[d]
  return sum
}
