import { cosine } from '../../encoder/embedding.js'
import type { Rows } from '../embedding/embedder.js'
import { rowAt } from '../embedding/rows.js'
import { random } from '../statistics/statistics.js'

/** Cosine from which two images are taken for the same. */
const SAME = 1 - 1e-6
/** Draws after which an item that has only its duplicates to swap with keeps one of them. */
const TRIES = 1000

/**
 * For each item another one whose images it gets: a random permutation in which no item keeps its own, nor
 * gets a duplicate of it where there is anything else. `perItem` rows belong to an item.
 */
export function swapImages(images: Rows, seed: number, perItem = 1): Uint32Array {
  const items = images.values.length / images.dimension / perItem
  const { int, shuffle } = random(seed)
  const other = Uint32Array.from(shuffle(Array.from({ length: items }, (_, i) => i)))
  const isSame = (a: number, b: number) =>
    a === b ||
    Array.from({ length: perItem }, (_, k) =>
      cosine(rowAt(images, a * perItem + k), rowAt(images, b * perItem + k))
    ).every((similarity) => similarity >= SAME)
  for (let i = 0; i < items; i++) {
    for (let tries = 0; items > 1 && tries < TRIES && isSame(i, other[i]); tries++) {
      const j = int(items)
      // Both must be well off after the exchange; an item that can't be is left to its own turn.
      if (j === i || isSame(i, other[j]) || (isSame(j, other[i]) && !isSame(j, other[j]))) continue
      ;[other[i], other[j]] = [other[j], other[i]]
    }
  }
  return other
}

/** Ids of items with those of the others that they were swapped with. */
export function namedSwaps(ids: string[], other: Uint32Array): [string, string][] {
  return Array.from(other, (from, i) => [ids[i], ids[from]])
}

/** The rows of other items, in the items' order. */
export function swappedRows(images: Rows, other: Uint32Array, perItem = 1): Rows {
  const { dimension, values } = images
  const size = dimension * perItem
  const swapped = new Float32Array(values.length)
  other.forEach((from, i) => swapped.set(values.subarray(from * size, (from + 1) * size), i * size))
  return { dimension, values: swapped }
}
