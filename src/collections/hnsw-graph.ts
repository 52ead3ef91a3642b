import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import hnswlib from 'hnswlib-node'
import type { HnswSettings } from './record.js'

/** A vector that no graph of its settings can hold. */
export class VectorRefused extends Error {}

/** A file that was not written to its end, of which hnswlib says nothing. */
export class FileTorn extends Error {
  constructor(path: string) {
    super(`${path} was not written completely.`)
  }
}

/** The capacity a graph starts with; it doubles when it is full. */
const FIRST_CAPACITY = 1024

/**
 * An HNSW graph over inner products of normalised vectors. Only this file knows hnswlib-node, whose edges it
 * rounds: capacity is fixed, k above the count throws, NaN goes in silently, vectors must be plain arrays,
 * and a write to a full disk reports no error.
 */
export class HnswGraph {
  readonly #index: hnswlib.HierarchicalNSW
  readonly #dimension: number

  private constructor(index: hnswlib.HierarchicalNSW, dimension: number) {
    this.#index = index
    this.#dimension = dimension
  }

  static empty(dimension: number, { m, efConstruction }: HnswSettings): HnswGraph {
    const index = new hnswlib.HierarchicalNSW('ip', dimension)
    index.initIndex({ maxElements: FIRST_CAPACITY, m, efConstruction })
    return new HnswGraph(index, dimension)
  }

  /** Reads a graph that `save` wrote; its caller has checked that the file is whole: hnswlib takes any. */
  static load(path: string, dimension: number): HnswGraph {
    const index = new hnswlib.HierarchicalNSW('ip', dimension)
    index.readIndexSync(path)
    return new HnswGraph(index, dimension)
  }

  /** Labels in the graph, those marked deleted included. */
  get count(): number {
    return this.#index.getCurrentCount()
  }

  labels(): number[] {
    return this.#index.getIdsList()
  }

  /**
   * Adds a vector; a millisecond or so of work. Throws on another dimension or a value that is not finite.
   */
  add(label: number, vector: Float32Array): void {
    if (vector.length !== this.#dimension)
      throw new VectorRefused(
        `A vector of ${vector.length} dimensions does not fit a graph of ${this.#dimension} dimensions.`
      )
    if (!isFiniteVector(vector)) throw new VectorRefused('A vector holds a value that is not finite.')
    if (this.count === this.#index.getMaxElements())
      this.#index.resizeIndex(Math.max(FIRST_CAPACITY, 2 * this.count))
    this.#index.addPoint(plainArray(vector), label)
  }

  /**
   * Marks a label deleted: it stays in the graph as a way to others and is found no more. Again is no error.
   */
  markDeleted(label: number): void {
    try {
      this.#index.markDelete(label)
    } catch (error) {
      if (!/already deleted/.test((error as Error).message)) throw error
    }
  }

  /**
   * About the k labels nearest to a query, in no set order; fewer when the graph holds fewer live ones that
   * pass. `passes` is called from within hnswlib and must not throw.
   */
  search(
    query: Float32Array,
    { k, ef, passes }: { k: number; ef: number; passes?: (label: number) => boolean }
  ): number[] {
    const count = Math.min(k, this.count)
    if (count === 0) return []
    this.#index.setEf(Math.max(ef, count))
    return this.#index.searchKnn(plainArray(query), count, passes).neighbors
  }

  /**
   * Writes the graph off the calling thread; nothing may be added meanwhile. Throws when the file is not
   * whole.
   */
  async save(path: string): Promise<void> {
    await this.#index.writeIndex(path)
    requireWholeFile(path, this.count)
  }
}

function isFiniteVector(vector: Float32Array): boolean {
  for (let d = 0; d < vector.length; d++) if (!Number.isFinite(vector[d])) return false
  return true
}

/** `Array.from` takes ten times as long. */
function plainArray(vector: Float32Array): number[] {
  const values = new Array<number>(vector.length)
  for (let d = 0; d < vector.length; d++) values[d] = vector[d]
  return values
}

/** Bytes of hnswlib's file header, and where the count and the size of an element stand in it. */
const HEADER_BYTES = 96
const COUNT_OFFSET = 16
const ELEMENT_SIZE_OFFSET = 24

/**
 * Walks a file of hnswlib (header, elements of one size, then for each element the length of its upper links
 * and these) to its end. hnswlib writes through a stream whose state it never looks at.
 */
function requireWholeFile(path: string, count: number): void {
  const file = openSync(path, 'r')
  try {
    const header = Buffer.alloc(HEADER_BYTES)
    if (readSync(file, header, 0, HEADER_BYTES, 0) < HEADER_BYTES) throw new FileTorn(path)
    const elements = Number(header.readBigUInt64LE(COUNT_OFFSET))
    let position = HEADER_BYTES + elements * Number(header.readBigUInt64LE(ELEMENT_SIZE_OFFSET))
    const { size } = fstatSync(file)
    const links = Buffer.alloc(Math.max(0, size - position))
    const read = position < size ? readSync(file, links, 0, links.length, position) : 0
    let offset = 0
    for (let i = 0; i < elements && offset + 4 <= read; i++) offset += 4 + links.readUInt32LE(offset)
    position += offset
    if (elements !== count || position !== size) throw new FileTorn(path)
  } finally {
    closeSync(file)
  }
}
