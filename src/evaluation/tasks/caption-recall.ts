import { cosine } from '../../encoder/embedding.js'
import type { Rows } from '../embedding/embedder.js'
import { recallAt } from '../statistics/query-ranks.js'
import { rowAt, rowCount, rowsOf } from '../embedding/rows.js'
import { topShare } from '../statistics/top-share.js'

/**
 * Of each query, whether any of what is right is among the `k` nearest candidates, for each k; a share where
 * it ties.
 */
export function recallShares(
  queries: Rows,
  candidates: Rows,
  { right, ks }: { right: Uint32Array[]; ks: number[] }
): Float64Array[] {
  const shares = ks.map(() => new Float64Array(right.length))
  const others = rowsOf(candidates)
  const scores = new Float64Array(others.length)
  right.forEach((own, query) => {
    const row = rowAt(queries, query)
    others.forEach((other, i) => (scores[i] = cosine(row, other)))
    ks.forEach((k, i) => (shares[i][query] = own.length === 0 ? 0 : topShare(scores, own, k)))
  })
  return shares
}

/** Recall at `k` of a random order of the candidates, over the queries. */
export function recallChance(candidates: Rows, right: Uint32Array[], k: number): number {
  if (right.length === 0) return 0
  const chances = right.map(({ length }) =>
    length === 0 ? 0 : recallAt(k, { ahead: 0, tiedWrong: rowCount(candidates) - length, tiedRight: length })
  )
  return chances.reduce((sum, chance) => sum + chance, 0) / chances.length
}
