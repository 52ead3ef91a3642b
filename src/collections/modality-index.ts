import { HnswGraph, VectorRefused } from './hnsw-graph.js'
import type { HnswSettings } from './record.js'
import { ResidentVectors } from './resident-vectors.js'
import { searchInDepths } from './paged-search.js'
import { RowSet } from './row-set.js'
import type { Hit } from './top-k.js'

export interface IndexSearch {
  /** Hits that are wanted: for a lower limit those of a higher one begin with. */
  limit: number
  /** Scans vectors instead of the graph. */
  exact?: boolean
  /** Candidates while searching the graph; the collection's by default. */
  efSearch?: number
  /** The labels that may be found, all by default. */
  labels?: number[]
}

/**
 * The index of one collection and modality: live vectors, the HNSW graph over them, and the labels that wait
 * to enter the graph. A label is searchable once added: while it waits, it is scanned exactly.
 */
export class ModalityIndex {
  readonly dimension: number
  settings: HnswSettings
  readonly #vectors: ResidentVectors
  #graph: HnswGraph
  readonly #pending = new Set<number>()
  /** Adds and removals that the last snapshot lacks. */
  unsaved = 0

  constructor(dimension: number, settings: HnswSettings) {
    this.dimension = dimension
    this.settings = settings
    this.#vectors = new ResidentVectors(dimension)
    this.#graph = HnswGraph.empty(dimension, settings)
  }

  /** Live vectors. */
  get size(): number {
    return this.#vectors.size
  }

  /** Labels that wait to enter the graph. */
  get pending(): number {
    return this.#pending.size
  }

  get graph(): HnswGraph {
    return this.#graph
  }

  /** Labels of the graph that are not live any more. */
  get dead(): number {
    return this.#graph.count - (this.size - this.pending)
  }

  /**
   * Adds a vector; a label that is there already is passed over (a searcher that restarted has read it from
   * the store).
   */
  add(label: number, vector: Float32Array): void {
    if (this.#vectors.has(label)) return
    this.#vectors.add(label, vector)
    this.#pending.add(label)
    this.unsaved++
  }

  /** Removes a label; one that is not there is passed over. */
  remove(label: number): void {
    if (!this.#vectors.remove(label)) return
    if (!this.#pending.delete(label)) this.#graph.markDeleted(label)
    this.unsaved++
  }

  /**
   * Moves waiting labels into the graph until none waits or the time (of performance.now) is up. A vector
   * that the graph refuses is reported and found no more. Returns how many went in.
   */
  insertPending(until: number, onProblem: (message: string) => void): number {
    let inserted = 0
    for (const label of this.#pending) {
      this.#pending.delete(label)
      try {
        this.#graph.add(label, this.#vectors.get(label)!)
      } catch (error) {
        if (!(error instanceof VectorRefused)) {
          this.#pending.add(label)
          throw error
        }
        this.#vectors.remove(label)
        onProblem(`embedding ${label} can't be indexed: ${(error as Error).message}`)
      }
      inserted++
      if (performance.now() >= until) break
    }
    return inserted
  }

  /**
   * Takes another graph in: what it holds and is not live is marked deleted, what is live and not in it
   * waits. Labels are never given twice and their vectors never change, so this difference is all that can
   * separate the two.
   */
  adopt(graph: HnswGraph): void {
    const held = new Set(graph.labels())
    for (const label of held) if (!this.#vectors.has(label)) graph.markDeleted(label)
    this.#pending.clear()
    for (const label of this.#vectors.labels()) if (!held.has(label)) this.#pending.add(label)
    this.#graph = graph
  }

  /** Gives its vectors' memory back: it is not searched any more. */
  clear(): void {
    this.#vectors.clear()
    this.#pending.clear()
  }

  /** The cosine of a query and a label, or undefined when it is not live. */
  score(query: Float32Array, label: number): number | undefined {
    return this.#vectors.has(label) ? this.#vectors.score(query, label) : undefined
  }

  /** The live labels. */
  labels(): number[] {
    return [...this.#vectors.labels()]
  }

  /** The vector under a label: a view, good until something is added or removed. */
  vector(label: number): Float32Array | undefined {
    return this.#vectors.get(label)
  }

  /**
   * Tells the cosine of each of some queries with each of some labels, by their positions; labels not live
   * are passed over.
   */
  scorePairs(
    queries: Float32Array[],
    labels: number[],
    tell: (query: number, label: number, score: number) => void
  ): void {
    this.#vectors.scorePairs(queries, labels, tell)
  }

  /**
   * The cosines of a query with so many live embeddings, all where there are no more: the same ones until
   * something is added or removed.
   */
  sampleScores(query: Float32Array, count: number): Float64Array {
    return this.#vectors.sampleScores(query, count)
  }

  /**
   * About the k labels nearest to a live one, itself left out, best first. `passes` tells which may be found,
   * all by default; it is called from within hnswlib and must not throw.
   */
  neighbors(
    label: number,
    { k, ef, passes }: { k: number; ef: number; passes?: (label: number) => boolean }
  ): Hit[] {
    const vector = this.#vectors.get(label)
    return vector ? others(label, this.#scanAround(vector, { k: k + 1, ef, passes })).slice(0, k) : []
  }

  /** The k labels among some that are nearest to a live one, itself left out, best first, exactly. */
  nearestAmong(label: number, labels: number[], k: number): Hit[] {
    const vector = this.#vectors.get(label)
    return vector ? others(label, this.#vectors.scan(vector, k + 1, labels)).slice(0, k) : []
  }

  /**
   * The labels of highest cosine to a normalised query, best first, equal ones by label; and whether a scan
   * found them all.
   */
  search(
    query: Float32Array,
    { limit, exact = false, efSearch = this.settings.efSearch, labels }: IndexSearch
  ): { hits: Hit[]; isExact: boolean } {
    if (exact) return { hits: this.#vectors.scan(query, limit, labels), isExact: true }
    const passes = labels && among(labels)
    return searchInDepths({
      limit,
      efSearch,
      total: labels?.length ?? this.size,
      byGraph: (depth) => this.#scanAround(query, { k: depth, ef: efSearch, passes }),
      byScan: (count, below) => this.#vectors.scanBelow(query, { k: count, below, labels })
    })
  }

  /** About the `limit` labels of highest cosine, from one search of the graph. */
  candidates(
    query: Float32Array,
    { limit, efSearch = this.settings.efSearch, labels }: Omit<IndexSearch, 'exact'>
  ): Hit[] {
    return this.#scanAround(query, { k: limit, ef: efSearch, passes: labels && among(labels) })
  }

  /** The best of what the graph finds and of what waits to enter it. */
  #scanAround(
    query: Float32Array,
    { k, ef, passes }: { k: number; ef: number; passes?: (label: number) => boolean }
  ): Hit[] {
    const candidates = this.#graph.search(query, { k, ef, passes })
    for (const label of this.#pending) if (!passes || passes(label)) candidates.push(label)
    return this.#vectors.scan(query, k, candidates)
  }
}

function others(label: number, hits: Hit[]): Hit[] {
  return hits.filter((hit) => hit.label !== label)
}

/** Labels are looked up by a bit each unless they lie so far apart that there would be that many for each. */
const BITS_A_LABEL = 64

/**
 * A function that tells whether a label is among some; the graph calls it for every vector that it looks at.
 */
export function among(labels: number[]): (label: number) => boolean {
  let lowest = labels[0] ?? 0
  let highest = lowest
  for (const label of labels) {
    if (label < lowest) lowest = label
    if (label > highest) highest = label
  }
  if (highest - lowest >= BITS_A_LABEL * labels.length) {
    const set = new Set(labels)
    return (label) => set.has(label)
  }
  const offsets = new RowSet(highest - lowest + 1)
  for (const label of labels) offsets.add(label - lowest)
  return (label) => label >= lowest && offsets.has(label - lowest)
}
