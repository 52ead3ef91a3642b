import { TopK, type Hit } from './top-k.js'
import { BATCH, LARGEST_BLOCK, vectorArenas, type Block, type VectorArenas } from './vector-arena.js'

/** Vectors that the first block has room for, at least. */
const FIRST_VECTORS = 4
/** The kernel reads four floats at a time. */
const STEP_BYTES = 16

/**
 * The live vectors of one index in memory, for exact scans: hnswlib's `getPoint` takes 41 us a vector. They
 * lie dense in blocks of an arena; the first one is moved to a larger one as it fills, up to the largest, and
 * others follow it.
 */
export class ResidentVectors {
  readonly #dimension: number
  /** Bytes from one vector to the next. */
  readonly #stride: number
  readonly #perBlock: number
  readonly #arenas: VectorArenas
  readonly #blocks: Block[] = []
  readonly #slots = new Map<number, number>()
  /** By slot its label. */
  readonly #labels: number[] = []

  constructor(dimension: number, arenas: VectorArenas = vectorArenas) {
    this.#dimension = dimension
    this.#stride = Math.ceil((dimension * Float32Array.BYTES_PER_ELEMENT) / STEP_BYTES) * STEP_BYTES
    this.#perBlock = Math.floor(LARGEST_BLOCK / this.#stride)
    this.#arenas = arenas
  }

  get size(): number {
    return this.#slots.size
  }

  /** Memory of the vectors, in bytes. */
  get bytes(): number {
    return this.#blocks.reduce((sum, { bytes }) => sum + bytes, 0)
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
    const slot = this.#labels.length
    if (slot === this.#room) this.#grow()
    this.#slots.set(label, slot)
    this.#labels.push(label)
    const padded = this.#vector(slot)
    padded.set(vector)
    padded.fill(0, vector.length)
  }

  /** Removes a label; returns whether it was there. The last vector moves into its place. */
  remove(label: number): boolean {
    const slot = this.#slots.get(label)
    if (slot === undefined) return false
    const last = this.#labels.pop()!
    if (last !== label) {
      this.#vector(slot).set(this.#vector(this.#labels.length))
      this.#labels[slot] = last
      this.#slots.set(last, slot)
    }
    this.#slots.delete(label)
    this.#shrink()
    return true
  }

  /** Removes all. */
  clear(): void {
    for (const block of this.#blocks) this.#arenas.give(block)
    this.#blocks.length = 0
    this.#labels.length = 0
    this.#slots.clear()
  }

  /** The vector under a label: a view, good until something is added or removed. */
  get(label: number): Float32Array | undefined {
    const slot = this.#slots.get(label)
    return slot === undefined ? undefined : this.#vector(slot).subarray(0, this.#dimension)
  }

  /** The dot product of a query and the vector under a label that is held. */
  score(query: Float32Array, label: number): number {
    const best = new TopK(1)
    this.#offer(best, query, [this.#slots.get(label)!])
    return best.sorted()[0].score
  }

  /**
   * The k vectors of highest dot product among some labels (all by default), exactly. Labels not held are
   * passed over.
   */
  scan(query: Float32Array, k: number, labels?: Iterable<number>): Hit[] {
    const best = new TopK(k)
    this.#offer(best, query, labels && this.#slotsOf(labels))
    return best.sorted()
  }

  /** The k vectors of highest dot product below some, among some labels (all by default). */
  scanBelow(
    query: Float32Array,
    { k, below, labels }: { k: number; below: number; labels?: Iterable<number> }
  ): Hit[] {
    const best = new TopK(k)
    const push = (label: number, score: number) => void (score < below && best.push(label, score))
    this.#offer({ push }, query, labels && this.#slotsOf(labels))
    return best.sorted()
  }

  /** The dot products of a query with up to `count` vectors, which lie evenly apart. */
  sampleScores(query: Float32Array, count: number): Float64Array {
    const taken = Math.min(count, this.size)
    const scores: number[] = []
    this.#offer(
      { push: (_, score) => scores.push(score) },
      query,
      Uint32Array.from({ length: taken }, (_, i) => Math.floor((i * this.size) / taken))
    )
    return Float64Array.from(scores)
  }

  /**
   * Tells the dot product of each of some queries with the vector under each of some labels, by their
   * positions; labels not held are passed over. Vectors stay in the processor's caches from query to query
   * where there are some hundred.
   */
  scorePairs(
    queries: Float32Array[],
    labels: number[],
    tell: (query: number, label: number, score: number) => void
  ): void {
    const positions = new Int32Array(BATCH)
    for (let next = 0; next < labels.length;) {
      let [arena, count] = [undefined as Block['arena'] | undefined, 0]
      for (; next < labels.length && count < BATCH; next++) {
        const slot = this.#slots.get(labels[next])
        if (slot === undefined) continue
        const block = this.#blockOf(slot)
        // A batch lies in one arena.
        if (arena && block.arena !== arena) break
        arena = block.arena
        arena.addresses[count] = block.address + (slot % this.#perBlock) * this.#stride
        positions[count++] = next
      }
      for (let query = 0; arena && query < queries.length; query++) {
        arena.setQuery(queries[query], this.#stride)
        arena.score(count, this.#stride)
        for (let i = 0; i < count; i++) tell(query, positions[i], arena.scores[i])
      }
    }
  }

  /** Scores the vectors of some slots (all by default) in batches, as far as one arena reaches. */
  #offer(
    best: { push(label: number, score: number): void },
    query: Float32Array,
    slots?: ArrayLike<number>
  ): void {
    if (this.size === 0) return
    for (const arena of new Set(this.#blocks.map((block) => block.arena))) arena.setQuery(query, this.#stride)
    const batch = new Int32Array(BATCH)
    let { arena } = this.#blocks[0]
    let count = 0
    const offer = () => {
      arena.score(count, this.#stride)
      for (let i = 0; i < count; i++) best.push(this.#labels[batch[i]], arena.scores[i])
      count = 0
    }
    const total = slots ? slots.length : this.size
    for (let i = 0; i < total; i++) {
      const slot = slots ? slots[i] : i
      const block = this.#blockOf(slot)
      if (count === BATCH || block.arena !== arena) {
        offer()
        arena = block.arena
      }
      arena.addresses[count] = block.address + (slot % this.#perBlock) * this.#stride
      batch[count++] = slot
    }
    offer()
  }

  #slotsOf(labels: Iterable<number>): number[] {
    const slots: number[] = []
    for (const label of labels) {
      const slot = this.#slots.get(label)
      if (slot !== undefined) slots.push(slot)
    }
    return slots
  }

  #blockOf(slot: number): Block {
    return this.#blocks[Math.floor(slot / this.#perBlock)]
  }

  #vector(slot: number): Float32Array {
    const { arena, address } = this.#blockOf(slot)
    const start = (address + (slot % this.#perBlock) * this.#stride) / Float32Array.BYTES_PER_ELEMENT
    return arena.floats.subarray(start, start + this.#stride / Float32Array.BYTES_PER_ELEMENT)
  }

  /** Vectors that there are blocks for. */
  get #room(): number {
    return this.#blocks.length > 1
      ? this.#blocks.length * this.#perBlock
      : Math.floor(this.bytes / this.#stride)
  }

  #grow(): void {
    const [first] = this.#blocks
    if (this.#blocks.length === 1 && first.bytes < LARGEST_BLOCK) {
      const larger = this.#arenas.take(2 * first.bytes)
      larger.arena.floats.set(
        first.arena.floats.subarray(first.address / 4, (first.address + first.bytes) / 4),
        larger.address / 4
      )
      this.#blocks[0] = larger
      this.#arenas.give(first)
    } else {
      this.#blocks.push(this.#arenas.take(first ? LARGEST_BLOCK : FIRST_VECTORS * this.#stride))
    }
  }

  /**
   * Gives the last block back once it is free, and half of the one before: an index may grow and shrink at an
   * edge.
   */
  #shrink(): void {
    if (this.size === 0) this.clear()
    else if (this.#blocks.length > 1 && this.size <= (this.#blocks.length - 1.5) * this.#perBlock)
      this.#arenas.give(this.#blocks.pop()!)
  }
}
