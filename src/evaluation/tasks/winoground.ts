import { cosine } from '../../encoder/embedding.js'
import type { Rows } from '../embedding/embedder.js'
import { rowAt, rowCount } from '../embedding/rows.js'

/**
 * What guessing gives: two comparisons right of two; for the group, both own scores above both others, 4 of
 * the 24 orders of four scores (Thrush et al. 2022).
 */
export const WINOGROUND_CHANCE = { text: 1 / 4, image: 1 / 4, group: 1 / 6 }
export type WinogroundScore = keyof typeof WINOGROUND_CHANCE

/** Cosines of a pair's captions with its images: `[caption][image]`. */
export function pairCosines(images: Rows, captions: Rows, pair: number): number[][] {
  return [0, 1].map((c) =>
    [0, 1].map((i) => cosine(rowAt(captions, 2 * pair + c), rowAt(images, 2 * pair + i)))
  )
}

/**
 * The text, image and group score of each pair, 1 or 0 (Thrush et al. 2022, 3.3): whether each image prefers
 * its own caption, each caption its own image, and both. Equal scores are no preference. Rows 2i and 2i + 1
 * are those of pair i.
 */
export function winogroundScores(images: Rows, captions: Rows): Record<WinogroundScore, Float64Array> {
  const pairs = rowCount(images) / 2
  const scores = {
    text: new Float64Array(pairs),
    image: new Float64Array(pairs),
    group: new Float64Array(pairs)
  }
  for (let pair = 0; pair < pairs; pair++) {
    const [[own, other], [otherOf, ownOf]] = pairCosines(images, captions, pair)
    scores.text[pair] = Number(own > otherOf && ownOf > other)
    scores.image[pair] = Number(own > other && ownOf > otherOf)
    scores.group[pair] = scores.text[pair] * scores.image[pair]
  }
  return scores
}
