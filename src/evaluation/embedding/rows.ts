import type { Rows } from './embedder.js'

/** One row, as a view. */
export function rowAt({ values, dimension }: Rows, row: number): Float32Array {
  return values.subarray(row * dimension, (row + 1) * dimension)
}

export function rowCount({ values, dimension }: Rows): number {
  return values.length / dimension
}

/** All rows, as views. */
export function rowsOf(rows: Rows): Float32Array[] {
  return Array.from({ length: rowCount(rows) }, (_, row) => rowAt(rows, row))
}

/** One row as often as asked for. */
export function repeated(row: Float32Array, count: number): Rows {
  const values = new Float32Array(row.length * count)
  for (let i = 0; i < count; i++) values.set(row, i * row.length)
  return { dimension: row.length, values }
}
