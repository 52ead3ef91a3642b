import { HnswGraph, VectorRefused } from './hnsw-graph.js'
import type { HnswSettings } from './record.js'
import { ResidentVectors } from './resident-vectors.js'
import { RowSet } from './row-set.js'
import type { Hit } from './top-k.js'

export interface IndexSearch {
  limit: number
  /** Scans vectors instead of the graph. */
  exact?: boolean
  /** Candidates while searching the graph; the collection's by default. */
  efSearch?: number
  /** The labels that may be found, all by default. */
  labels?: number[]
}

/**
 * The index of one collection and modality: live vectors, the HNSW graph over them, and the labels that wait to enter
 * the graph. A label is searchable once added: while it waits, it is scanned exactly.
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

  /** Adds a vector; a label that is there already is passed over (a searcher that restarted has read it from the store). */
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
   * Moves waiting labels into the graph until none waits or the time (of performance.now) is up. A vector that the
   * graph refuses is reported and found no more. Returns how many went in.
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
   * Takes another graph in: what it holds and is not live is marked deleted, what is live and not in it waits. Labels
   * are never given twice and their vectors never change, so this difference is all that can separate the two.
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

  /** The labels of highest cosine to a normalised query, best first. */
  search(query: Float32Array, { limit, exact = false, efSearch = this.settings.efSearch, labels }: IndexSearch): Hit[] {
    if (exact) return this.#vectors.scan(query, limit, labels)
    const passes = labels && among(labels)
    const candidates = this.#graph.search(query, { k: limit, ef: efSearch, passes })
    for (const label of this.#pending) if (!passes || passes(label)) candidates.push(label)
    return this.#vectors.scan(query, limit, candidates)
  }
}

/** Labels are looked up by a bit each unless they lie so far apart that there would be that many for each. */
const BITS_A_LABEL = 64

/** A function that tells whether a label is among some; the graph calls it for every vector that it looks at. */
function among(labels: number[]): (label: number) => boolean {
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
