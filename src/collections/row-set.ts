/** A set of row numbers below a bound, a bit each. */
export class RowSet {
  readonly #words: Uint32Array
  readonly #bound: number

  constructor(bound: number) {
    this.#bound = bound
    this.#words = new Uint32Array(Math.ceil(bound / 32))
  }

  add(row: number): void {
    this.#words[row >>> 5] |= 1 << (row & 31)
  }

  has(row: number): boolean {
    return (this.#words[row >>> 5] & (1 << (row & 31))) !== 0
  }

  /** Keeps the rows that are in another set too. */
  intersect(other: RowSet): this {
    for (let i = 0; i < this.#words.length; i++) this.#words[i] &= other.#words[i]
    return this
  }

  /** Adds the rows of another set. */
  unite(other: RowSet): this {
    for (let i = 0; i < this.#words.length; i++) this.#words[i] |= other.#words[i]
    return this
  }

  /** Turns the set into all rows below the bound that were not in it. */
  complement(): this {
    for (let i = 0; i < this.#words.length; i++) this.#words[i] = ~this.#words[i]
    const spare = this.#words.length * 32 - this.#bound
    if (spare > 0) this.#words[this.#words.length - 1] &= 0xffffffff >>> spare
    return this
  }

  /** Takes the rows from `from` on, a multiple of 32, from a set whose first row stands for that one. */
  replace(from: number, part: RowSet): void {
    this.#words.set(part.#words.subarray(0, this.#words.length - from / 32), from / 32)
  }

  /** Calls back with the rows in the set, in ascending order. */
  forEach(visit: (row: number) => void): void {
    for (let i = 0; i < this.#words.length; i++) {
      for (let word = this.#words[i]; word !== 0; word &= word - 1)
        visit(i * 32 + 31 - Math.clz32(word & -word))
    }
  }
}
