import { openDotProducts } from './dot-products.js'
import { blocksOf, type Gallery } from '../run/gallery.js'

export interface ScoredRow {
  row: number
  score: number
}

/** Queries and rows that are scored at a time. */
const QUERIES_AT_ONCE = 512
const ROWS_AT_ONCE = 4096

/**
 * Of each query, given by its row, the k rows of the gallery that score highest (in float32), best first; of
 * equal rows the first stands for all.
 */
export async function bestMatches(
  queries: { gallery: Gallery; rows: number[] },
  gallery: Gallery,
  k: number
): Promise<ScoredRow[][]> {
  const { matrix, first } = queries.gallery
  const { dotProducts, close } = await openDotProducts(matrix.dimension)
  const best: ScoredRow[][] = queries.rows.map(() => [])
  try {
    for (let from = 0; from < queries.rows.length; from += QUERIES_AT_ONCE) {
      const chosen = queries.rows.slice(from, from + QUERIES_AT_ONCE)
      const values = new Float32Array(chosen.length * matrix.dimension)
      chosen.forEach((row, i) => values.set(matrix.read(first[row], first[row] + 1), i * matrix.dimension))
      for (const { rows, values: others } of blocksOf(gallery, ROWS_AT_ONCE)) {
        const scores = await dotProducts(values, others)
        chosen.forEach((_, i) =>
          rows.forEach(
            (row, j) =>
              gallery.weight[row] > 0 &&
              insert(best[from + i], { row, score: scores[i * rows.length + j] }, k)
          )
        )
      }
    }
  } finally {
    await close()
  }
  return best
}

function insert(best: ScoredRow[], scored: ScoredRow, k: number): void {
  if (best.length === k && scored.score <= best[k - 1].score) return
  let at = best.length
  while (at > 0 && best[at - 1].score < scored.score) at--
  best.splice(at, 0, scored)
  if (best.length > k) best.pop()
}
