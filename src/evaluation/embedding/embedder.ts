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
