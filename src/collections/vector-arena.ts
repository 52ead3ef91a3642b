import kernel from './dot-products-kernel.js'

/** A piece of an arena's memory: a power of two of bytes, at an address that is a multiple of it. */
export interface Block {
  arena: VectorArena
  address: number
  bytes: number
}

interface Kernel {
  memory: WebAssembly.Memory
  /** Query, bytes of a vector, addresses, count, scores. */
  dotProducts(...args: number[]): void
}

/** The largest block, and the smallest. */
export const LARGEST_BLOCK = 2 ** 20
const SMALLEST_BLOCK = 2 ** 12
/** Vectors that one call of the kernel scores, at most. */
export const BATCH = 1024
/** Where an arena ends: WebAssembly can't give back a part of a memory, only all of it. */
const ARENA_BYTES = 2 ** 28
/**
 * An arena grows by so much: V8 collects garbage at each growth, and pages that were never written take no
 * memory.
 */
const GROWTH_BYTES = 2 ** 25
const PAGE_BYTES = 2 ** 16

// What the kernel is called with lies in the first block.
const ADDRESSES_AT = PAGE_BYTES
const SCORES_AT = ADDRESSES_AT + BATCH * Uint32Array.BYTES_PER_ELEMENT
const QUERY_AT = SCORES_AT + BATCH * Float32Array.BYTES_PER_ELEMENT

const compiled = new WebAssembly.Module(Buffer.from(kernel, 'base64'))

/**
 * A WebAssembly memory with the kernel that scores vectors in it. Blocks are halves of halves of the largest,
 * and join again when both are free, so that what small indexes leave is of use to large ones.
 */
export class VectorArena {
  readonly #kernel = new WebAssembly.Instance(compiled).exports as Kernel
  /** Addresses of free blocks, by size. */
  readonly #free = new Map<number, Set<number>>()
  readonly #end: number
  /** Blocks lie below this; the memory may end above it. */
  #used = LARGEST_BLOCK
  #taken = 0
  /** The memory as floats; it is another one after the arena has grown. */
  floats: Float32Array
  /** What the kernel is to score, and the scores. */
  addresses: Uint32Array
  scores: Float32Array

  /** An arena that ends at so many bytes, a multiple of the largest block. */
  constructor(end: number) {
    this.#end = end
    this.#kernel.memory.grow(LARGEST_BLOCK / PAGE_BYTES - 1)
    ;({ floats: this.floats, addresses: this.addresses, scores: this.scores } = this.#views())
  }

  /** Bytes that were ever used. */
  get bytes(): number {
    return this.#used
  }

  /** Whether no block is taken of an arena that has grown. */
  get isSpare(): boolean {
    return this.#taken === 0 && this.#used > GROWTH_BYTES
  }

  /** Puts the query in its place, padded with zeros to `stride` bytes. */
  setQuery(query: Float32Array, stride: number): void {
    const at = QUERY_AT / 4
    this.floats.set(query, at)
    this.floats.fill(0, at + query.length, at + stride / 4)
  }

  /** Scores the vectors at the first `count` addresses, of `stride` bytes each. */
  score(count: number, stride: number): void {
    this.#kernel.dotProducts(QUERY_AT, stride, ADDRESSES_AT, count, SCORES_AT)
  }

  /** The address of a block of so many bytes (a power of two), undefined when the arena is full. */
  take(bytes: number): number | undefined {
    let size = bytes
    while (size <= LARGEST_BLOCK && !this.#freeOf(size).size) size *= 2
    if (size > LARGEST_BLOCK) {
      if (this.#used === this.#end) return undefined
      size = LARGEST_BLOCK
      this.#grow()
    }
    const [address] = this.#freeOf(size)
    this.#freeOf(size).delete(address)
    for (; size > bytes; size /= 2) this.#freeOf(size / 2).add(address + size / 2)
    this.#taken += bytes
    return address
  }

  /** Takes a block back. */
  give({ address, bytes }: Block): void {
    this.#taken -= bytes
    let [at, size] = [address, bytes]
    // The other half differs in one bit of its address.
    while (size < LARGEST_BLOCK && this.#freeOf(size).delete(at + (at % (2 * size) === 0 ? size : -size))) {
      at -= at % (2 * size)
      size *= 2
    }
    this.#freeOf(size).add(at)
  }

  /** Makes one more of the largest blocks free. Throws a RangeError without memory. */
  #grow(): void {
    if (this.#used === this.floats.byteLength) {
      this.#kernel.memory.grow(Math.min(GROWTH_BYTES, this.#end - this.#used) / PAGE_BYTES)
      Object.assign(this, this.#views())
    }
    this.#freeOf(LARGEST_BLOCK).add(this.#used)
    this.#used += LARGEST_BLOCK
  }

  #freeOf(size: number): Set<number> {
    let addresses = this.#free.get(size)
    if (!addresses) this.#free.set(size, (addresses = new Set()))
    return addresses
  }

  #views() {
    const { buffer } = this.#kernel.memory
    return {
      floats: new Float32Array(buffer),
      addresses: new Uint32Array(buffer, ADDRESSES_AT, BATCH),
      scores: new Float32Array(buffer, SCORES_AT, BATCH)
    }
  }
}

/**
 * The memory of all vectors of a thread: as many arenas as it takes, since each reserves gigabytes of
 * addresses.
 */
export class VectorArenas {
  readonly #arenaBytes: number
  #arenas: VectorArena[] = []

  constructor(arenaBytes = ARENA_BYTES) {
    this.#arenaBytes = arenaBytes
  }

  /** Bytes that were ever used, of all arenas. */
  get bytes(): number {
    return this.#arenas.reduce((sum, arena) => sum + arena.bytes, 0)
  }

  /**
   * A block of at least so many bytes, or of the largest size. What is in it is not cleared. Throws a
   * RangeError without memory.
   */
  take(least: number): Block {
    let bytes = SMALLEST_BLOCK
    while (bytes < least && bytes < LARGEST_BLOCK) bytes *= 2
    for (const arena of this.#arenas) {
      const address = arena.take(bytes)
      if (address !== undefined) return { arena, address, bytes }
    }
    const arena = new VectorArena(this.#arenaBytes)
    this.#arenas.push(arena)
    return { arena, address: arena.take(bytes)!, bytes }
  }

  /** Takes a block back; a large arena without any is let go of. */
  give(block: Block): void {
    const { arena } = block
    arena.give(block)
    if (arena.isSpare) this.#arenas = this.#arenas.filter((other) => other !== arena)
  }
}

/** The arenas of this thread. */
export const vectorArenas = new VectorArenas()
