import { cosine } from '../../encoder/embedding.js'
import type { Rows } from '../embedding/embedder.js'
import { rowAt } from '../embedding/rows.js'
import { topShare } from '../statistics/top-share.js'

/**
 * Captions of images, several an image: those of image i are rows `starts[i]` to `starts[i + 1]`, the true
 * one first.
 */
export interface Choices {
  captions: Rows
  starts: Uint32Array
}

/** Cosines of an image with its captions, the true one first. */
export function choiceCosines(image: Float32Array, { captions, starts }: Choices, item: number): number[] {
  return Array.from({ length: starts[item + 1] - starts[item] }, (_, i) =>
    cosine(image, rowAt(captions, starts[item] + i))
  )
}

/**
 * Of each image, whether its caption scores above all of the negatives (SugarCrepe, Hsieh et al. 2023); a
 * share where it ties.
 */
export function hardNegativeScores(images: Rows, choices: Choices): Float64Array {
  return Float64Array.from({ length: choices.starts.length - 1 }, (_, i) =>
    topShare(choiceCosines(rowAt(images, i), choices, i), [0], 1)
  )
}

/** What guessing gives: the mean of one over the captions of an item. */
export function hardNegativeChance(
  { starts }: Choices,
  items: Iterable<number> = Array.from({ length: starts.length - 1 }, (_, i) => i)
): number {
  const chances = [...items].map((i) => 1 / (starts[i + 1] - starts[i]))
  return chances.reduce((a, b) => a + b, 0) / chances.length
}
