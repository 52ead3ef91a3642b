import {
  distributionOf,
  jointScores,
  ranksOf,
  reciprocalRankFusion,
  standardScores,
  weightedMean,
  type Columns
} from '../../collections/fusion.js'
import { cosine } from '../../encoder/embedding.js'
import { rowAt, rowCount } from '../embedding/rows.js'
import type { FusionInput, Held } from './fusion-input.js'

/**
 * A way to find records: one modality alone, or a fusion with a weight of the image; the text has the rest of
 * 1.
 */
export interface FusionRun {
  name: FusionName
  imageWeight: number
}

export const FUSED = ['weighted', 'weighted z-score', 'rrf', 'joint'] as const
export const FUSION_NAMES = ['image', 'text', ...FUSED] as const
export type FusionName = (typeof FUSION_NAMES)[number]

/**
 * Of each query, where its record came: records ahead of it and those that tie; NaN where it was no match.
 */
export interface Standings {
  ahead: Float64Array
  tied: Float64Array
}

/** Scores that differ by less are equal: they are sums of the same parts in another order. */
const EQUAL = 1e-12

/**
 * Where each query's record comes, in each run, for each of some ways in which records lack modalities:
 * [held][run].
 */
export function standings(input: FusionInput, runs: FusionRun[], helds: Held[]): Standings[][] {
  const queries = rowCount(input.queries)
  const inner = Float64Array.from(input.ids, (_, i) => cosine(rowAt(input.images, i), rowAt(input.texts, i)))
  const found = helds.map(() =>
    runs.map(() => ({ ahead: new Float64Array(queries), tied: new Float64Array(queries) }))
  )
  for (let query = 0; query < queries; query++) {
    const vector = rowAt(input.queries, query)
    const all = { image: cosinesWith(vector, input.images), text: cosinesWith(vector, input.texts) }
    helds.forEach((held, h) => {
      const scoresOf = fusions({ image: only(all.image, held.image), text: only(all.text, held.text) }, inner)
      runs.forEach((run, r) => {
        const { ahead, tied } = standing(scoresOf(run), input.targets[query])
        found[h][r].ahead[query] = ahead
        found[h][r].tied[query] = tied
      })
    })
  }
  return found
}

/** The same functions as those of a search, over all records. */
function fusions(cosines: Columns, inner: Float64Array): (run: FusionRun) => Float64Array {
  const both = (column: (cosines: Float64Array) => Float64Array) => ({
    image: column(cosines.image),
    text: column(cosines.text)
  })
  const ranks = both(ranksOf)
  const standard = both((column) => standardScores(column, distributionOf(column)))
  return ({ name, imageWeight }) => {
    const weights = { image: imageWeight, text: 1 - imageWeight }
    switch (name) {
      case 'image':
      case 'text':
        return cosines[name]
      case 'weighted':
        return weightedMean(cosines, weights)
      case 'weighted z-score':
        return weightedMean(standard, weights)
      case 'rrf':
        return reciprocalRankFusion({ cosines, ranks }, weights)
      case 'joint':
        return jointScores({ cosines, inner }, weights)
    }
  }
}

function cosinesWith(query: Float32Array, rows: FusionInput['images']): Float64Array {
  return Float64Array.from({ length: rowCount(rows) }, (_, i) => cosine(query, rowAt(rows, i)))
}

function only(cosines: Float64Array, held: Uint8Array): Float64Array {
  return cosines.map((value, i) => (held[i] ? value : NaN))
}

function standing(scores: Float64Array, target: number): { ahead: number; tied: number } {
  const own = scores[target]
  if (Number.isNaN(own)) return { ahead: NaN, tied: NaN }
  let [ahead, tied] = [0, -1]
  for (const score of scores) {
    if (score > own + EQUAL) ahead++
    else if (score >= own - EQUAL) tied++
  }
  return { ahead, tied }
}
