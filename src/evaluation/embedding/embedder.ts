import type { ZeroShotSettings } from '../../encoder/package-settings.js'
import type { DatasetImage } from '../datasets/dataset.js'

/** A change to an image that its content survives. */
export type Corruption =
  | { kind: 'jpeg'; quality: number }
  | { kind: 'blur'; sigma: number }
  | { kind: 'rotation'; degrees: number }
  | { kind: 'grey' }
  | { kind: 'constant' }

/** Rows of one dimension, row-major, on a SharedArrayBuffer, so that they cross threads without a copy. */
export interface Rows {
  dimension: number
  values: Float32Array
}

/** A model's encoder as evaluation uses it: whole lists at a time, kept between runs. */
export interface Embedder {
  readonly model: { name: string; fingerprint: string; dimension: number; zeroShot: ZeroShotSettings }
  /** One row an image, in their order. An image that can't be read rejects with its id. */
  images(images: DatasetImage[], corruption?: Corruption): Promise<Rows>
  texts(texts: string[]): Promise<Rows>
}

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

/** Rows of zeros on shared memory. */
export function sharedRows(count: number, dimension: number): Rows {
  return { dimension, values: new Float32Array(new SharedArrayBuffer(4 * count * dimension)) }
}
