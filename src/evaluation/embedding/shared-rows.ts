import type { Rows } from './embedder.js'

/** Rows of zeros on shared memory. */
export function sharedRows(count: number, dimension: number): Rows {
  return { dimension, values: new Float32Array(new SharedArrayBuffer(4 * count * dimension)) }
}
