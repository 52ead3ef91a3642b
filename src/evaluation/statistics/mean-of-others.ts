import { normalise } from '../../encoder/embedding.js'
import type { Rows } from '../embedding/embedder.js'
import { rowAt, rowCount } from '../embedding/rows.js'

/**
 * In the place of each row the mean of those of other groups, L2-normalised: what is known of a row without
 * looking at it. A mean with the row in it would see a little of it, and of few rows a lot. Of one group
 * alone it is zeros.
 */
export function meanOfOthers<Group>(rows: Rows, groups: ArrayLike<Group>): Rows {
  const { dimension } = rows
  const total = new Float64Array(dimension)
  const sums = new Map<Group, Float64Array>()
  for (let i = 0; i < rowCount(rows); i++) {
    const sum = sums.get(groups[i]) ?? new Float64Array(dimension)
    sums.set(groups[i], sum)
    rowAt(rows, i).forEach((value, d) => {
      total[d] += value
      sum[d] += value
    })
  }
  const values = new Float32Array(rows.values.length)
  for (let i = 0; i < rowCount(rows); i++) {
    if (sums.size > 1)
      values.set(
        normalise(Float32Array.from(sums.get(groups[i])!, (own, d) => total[d] - own)),
        i * dimension
      )
  }
  return { dimension, values }
}
