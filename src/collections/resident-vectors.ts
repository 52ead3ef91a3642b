import { TopK, type Hit } from './top-k.js'

/** Vectors in one block: growth allocates blocks, and never copies. */
const BLOCK = 1024

/** The live vectors of one index in memory, for exact scans: hnswlib's `getPoint` takes 41 us a vector. */
export class ResidentVectors {
  readonly #dimension: number
  readonly #blocks: Float32Array[] = []
  readonly #slots = new Map<number, number>()
  /** By slot its label, 0 for a free one: labels start at 1. */
  readonly #labels: number[] = []
  readonly #free: number[] = []

  constructor(dimension: number) {
    this.#dimension = dimension
  }

  get size(): number {
    return this.#slots.size
  }

  /** Memory of the vectors, in bytes. */
  get bytes(): number {
    return this.#blocks.length * BLOCK * this.#dimension * Float32Array.BYTES_PER_ELEMENT
  }

  has(label: number): boolean {
    return this.#slots.has(label)
  }

  /** The labels held. */
  labels(): IterableIterator<number> {
    return this.#slots.keys()
  }

  /** Adds a copy of a vector under a new label. */
  add(label: number, vector: Float32Array): void {
    const slot = this.#free.pop() ?? this.#labels.length
    if (slot === this.#blocks.length * BLOCK) this.#blocks.push(new Float32Array(BLOCK * this.#dimension))
    this.#slots.set(label, slot)
    this.#labels[slot] = label
    this.#vector(slot).set(vector)
  }

  /** Removes a label; returns whether it was there. */
  remove(label: number): boolean {
    const slot = this.#slots.get(label)
    if (slot === undefined) return false
    this.#slots.delete(label)
    this.#labels[slot] = 0
    this.#free.push(slot)
    return true
  }

  /** The vector under a label: a view, good until the label is removed. */
  get(label: number): Float32Array | undefined {
    const slot = this.#slots.get(label)
    return slot === undefined ? undefined : this.#vector(slot)
  }

  /** The dot product of a query and the vector under a label that is held. */
  score(query: Float32Array, label: number): number {
    return this.#score(query, this.#slots.get(label)!)
  }

  /** The k vectors of highest dot product among some labels (all by default), exactly. Labels not held are passed over. */
  scan(query: Float32Array, k: number, labels?: Iterable<number>): Hit[] {
    const best = new TopK(k)
    if (labels) {
      for (const label of labels) {
        const slot = this.#slots.get(label)
        if (slot !== undefined) best.push(label, this.#score(query, slot))
      }
    } else {
      this.#labels.forEach((label, slot) => label !== 0 && best.push(label, this.#score(query, slot)))
    }
    return best.sorted()
  }

  /** Four sums at a time: the additions of one would wait for each other. */
  #score(query: Float32Array, slot: number): number {
    const block = this.#blocks[Math.floor(slot / BLOCK)]
    const whole = query.length & ~3
    let p = (slot % BLOCK) * this.#dimension
    let [a, b, c, e] = [0, 0, 0, 0]
    let d = 0
    for (; d < whole; d += 4, p += 4) {
      a += query[d] * block[p]
      b += query[d + 1] * block[p + 1]
      c += query[d + 2] * block[p + 2]
      e += query[d + 3] * block[p + 3]
    }
    for (; d < query.length; d++) a += query[d] * block[p++]
    return a + b + (c + e)
  }

  #vector(slot: number): Float32Array {
    const start = (slot % BLOCK) * this.#dimension
    return this.#blocks[Math.floor(slot / BLOCK)].subarray(start, start + this.#dimension)
  }
}
