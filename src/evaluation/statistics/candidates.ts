import { createHash } from 'node:crypto'
import type { Matrix } from './matrix.js'

/** Rows of a matrix of which equal ones are one, with how many each stands for. */
export interface Candidates {
  matrix: Matrix
  /** Of each row, the first one that is equal to it. */
  first: Uint32Array
  /** Of each row that is a first one, the items that it stands for; of others 0. */
  weight: Float64Array
}

/** Some rows: which they are, and their values, row-major. */
export interface Block {
  rows: Uint32Array
  values: Float32Array
}

/** Rows that are hashed at a time. */
const HASHED_AT_ONCE = 4096

/** Finds equal rows. An item has weight 1, unless `weights` says otherwise: 0 leaves it out. */
export function openCandidates(matrix: Matrix, weights?: ArrayLike<number>): Candidates {
  const { rows, dimension } = matrix
  const first = new Uint32Array(rows)
  const weight = new Float64Array(rows)
  const known = new Map<string, number>()
  for (let from = 0; from < rows; from += HASHED_AT_ONCE) {
    const values = matrix.read(from, Math.min(rows, from + HASHED_AT_ONCE))
    for (let row = from; row < from + values.length / dimension; row++) {
      const digest = createHash('sha1')
        .update(values.subarray((row - from) * dimension, (row - from + 1) * dimension))
        .digest('base64')
      const same = known.get(digest)
      if (same === undefined) known.set(digest, row)
      first[row] = same ?? row
      weight[first[row]] += weights ? weights[row] : 1
    }
  }
  return { matrix, first, weight }
}

/** The first ones of equal rows, some `size` at a time; a block is valid until the next. */
export function* blocksOf({ matrix, first }: Candidates, size: number): Generator<Block> {
  const { rows, dimension } = matrix
  let buffer: Float32Array | undefined
  for (let from = 0; from < rows; from += size) {
    const to = Math.min(rows, from + size)
    const values = matrix.read(from, to)
    const kept = Uint32Array.from({ length: to - from }, (_, i) => from + i).filter(
      (row) => first[row] === row
    )
    if (kept.length === to - from) {
      yield { rows: kept, values }
    } else if (kept.length > 0) {
      buffer ??= new Float32Array(size * dimension)
      for (const [i, row] of kept.entries())
        buffer.set(values.subarray((row - from) * dimension, (row - from + 1) * dimension), i * dimension)
      yield { rows: kept, values: buffer.subarray(0, kept.length * dimension) }
    }
  }
}
