import hnswlib from 'hnswlib-node'
import type { HnswSettings } from './record.js'

/** The capacity a graph starts with; it doubles when it is full. */
const FIRST_CAPACITY = 1024

/**
 * An HNSW graph over inner products of normalised vectors. Only this file knows hnswlib-node, whose edges it rounds:
 * capacity is fixed, k above the count throws, NaN goes in silently, vectors must be plain arrays.
 */
export class HnswGraph {
  readonly #index: hnswlib.HierarchicalNSW
  readonly #dimension: number

  constructor(dimension: number, { m, efConstruction }: HnswSettings) {
    this.#dimension = dimension
    this.#index = new hnswlib.HierarchicalNSW('ip', dimension)
    this.#index.initIndex({ maxElements: FIRST_CAPACITY, m, efConstruction })
  }

  /** Labels in the graph, those marked deleted included. */
  get count(): number {
    return this.#index.getCurrentCount()
  }

  /** Adds a vector; a millisecond or so of work. Throws on another dimension or a value that is not finite. */
  add(label: number, vector: Float32Array): void {
    if (vector.length !== this.#dimension) throw new Error(`A vector of ${vector.length} dimensions does not fit a graph of ${this.#dimension}.`)
    if (!vector.every(Number.isFinite)) throw new Error('A vector holds a value that is not finite.')
    if (this.count === this.#index.getMaxElements()) this.#index.resizeIndex(2 * this.count)
    this.#index.addPoint(Array.from(vector), label)
  }

  /** Marks a label deleted: it stays in the graph as a way to others and is found no more. */
  markDeleted(label: number): void {
    this.#index.markDelete(label)
  }

  /** About the k labels nearest to a query, in no set order; fewer when the graph holds fewer live ones. */
  search(query: Float32Array, k: number, ef: number): number[] {
    const count = Math.min(k, this.count)
    if (count === 0) return []
    this.#index.setEf(Math.max(ef, count))
    return this.#index.searchKnn(Array.from(query), count).neighbors
  }
}
