import { HnswGraph } from './hnsw-graph.js'
import type { HnswSettings } from './record.js'
import { ResidentVectors } from './resident-vectors.js'
import type { Hit } from './top-k.js'

export interface SearchOptions {
  limit: number
  /** Scans every vector instead of the graph. */
  exact?: boolean
  /** Candidates while searching the graph; the collection's by default. */
  efSearch?: number
}

/**
 * The index of one collection and modality: live vectors, the HNSW graph over them, and the labels that wait to enter
 * the graph. A label is searchable once added: while it waits, it is scanned exactly.
 */
export class ModalityIndex {
  #settings: HnswSettings
  readonly #vectors: ResidentVectors
  readonly #graph: HnswGraph
  readonly #pending = new Set<number>()

  constructor(dimension: number, settings: HnswSettings) {
    this.#settings = settings
    this.#vectors = new ResidentVectors(dimension)
    this.#graph = new HnswGraph(dimension, settings)
  }

  /** Live vectors. */
  get size(): number {
    return this.#vectors.size
  }

  /** Labels that wait to enter the graph. */
  get pending(): number {
    return this.#pending.size
  }

  /** Takes new search settings. */
  configure(settings: HnswSettings): void {
    this.#settings = settings
  }

  /** Adds a vector; a label that is there already is passed over (a searcher that restarted has read it from the store). */
  add(label: number, vector: Float32Array): void {
    if (this.#vectors.has(label)) return
    this.#vectors.add(label, vector)
    this.#pending.add(label)
  }

  /** Removes a label; one that is not there is passed over. */
  remove(label: number): void {
    if (!this.#vectors.remove(label)) return
    if (!this.#pending.delete(label)) this.#graph.markDeleted(label)
  }

  /** Moves waiting labels into the graph until none waits or the time (of performance.now) is up. */
  insertPending(until: number): void {
    for (const label of this.#pending) {
      this.#graph.add(label, this.#vectors.get(label)!)
      this.#pending.delete(label)
      if (performance.now() >= until) return
    }
  }

  /** The labels of highest cosine to a normalised query, best first. */
  search(query: Float32Array, { limit, exact = false, efSearch = this.#settings.efSearch }: SearchOptions): Hit[] {
    if (exact) return this.#vectors.scan(query, limit)
    const candidates = this.#graph.search(query, limit, efSearch)
    return this.#vectors.scan(query, limit, [...candidates, ...this.#pending])
  }
}
