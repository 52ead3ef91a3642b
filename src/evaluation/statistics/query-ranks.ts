import type { Standing } from './rank-pairs.js'

/** How a query did: what its retrieval measures follow from. */
export interface QueryRank {
  /** Candidates ahead of the best of what is right. */
  ahead: number
  /** Candidates that tie with it and are wrong, and those that are right, itself among them. */
  tiedWrong: number
  tiedRight: number
  averagePrecision: number
}

/** Prefix sums of 1/i, so that sums over ties of any length take no time. */
export function harmonicNumbers(count: number): Float64Array {
  const sums = new Float64Array(count + 1)
  for (let i = 1; i <= count; i++) sums[i] = sums[i - 1] + 1 / i
  return sums
}

/**
 * How each query did whose right candidates are known, from how its pairs stand; `queries` has of each pair
 * its query. Candidates that score the same are in random order, and all measures are expectations over it.
 */
export function rankQueries(
  queries: Uint32Array,
  {
    scores,
    standing: { ahead, tied },
    harmonic
  }: { scores: Float64Array; standing: Standing; harmonic: Float64Array }
): Map<number, QueryRank> {
  const pairsOf = new Map<number, number[]>()
  queries.forEach((query, pair) =>
    (pairsOf.get(query) ?? (pairsOf.set(query, []), pairsOf.get(query)!)).push(pair)
  )
  return new Map(
    [...pairsOf].map(([query, pairs]) => {
      const best = pairs.reduce((one, other) => (scores[other] > scores[one] ? other : one))
      const tiedRight = pairs.filter((pair) => scores[pair] === scores[best]).length
      return [
        query,
        {
          ahead: ahead[best],
          tiedWrong: tied[best] - tiedRight,
          tiedRight,
          averagePrecision: averagePrecision(
            pairs.map((pair) => ({ score: scores[pair], ahead: ahead[pair], tied: tied[pair] })),
            harmonic
          )
        }
      ]
    })
  )
}

/**
 * Average precision in expectation over the order of ties (McSherry and Najork 2008, section 2.4): of n tied
 * candidates of which r are right, after A candidates of which R are right, place i is right with r/n, and
 * then R + 1 + (i-1)(r-1)/(n-1) of the first A + i are.
 */
export function averagePrecision(
  right: { score: number; ahead: number; tied: number }[],
  harmonic: Float64Array
): number {
  const groups = new Map<number, { ahead: number; tied: number; count: number }>()
  for (const { score, ahead, tied } of right) {
    const group = groups.get(score)
    if (group) group.count++
    else groups.set(score, { ahead, tied, count: 1 })
  }
  let [sum, before] = [0, 0]
  for (const [, { ahead, tied, count }] of [...groups].sort(([a], [b]) => b - a)) {
    const step = tied > 1 ? (count - 1) / (tied - 1) : 0
    // The sum over i = 1..n of (R + 1 + (i - 1) step) / (A + i).
    sum +=
      (count / tied) *
      (step * tied + (before + 1 - step * (ahead + 1)) * (harmonic[ahead + tied] - harmonic[ahead]))
    before += count
  }
  return sum / right.length
}

/**
 * The chance that the best of what is right is among the first k: recall@k as CLIP_benchmark has it, where
 * any right one counts.
 */
export function recallAt(
  k: number,
  { ahead, tiedWrong, tiedRight }: Pick<QueryRank, 'ahead' | 'tiedWrong' | 'tiedRight'>
): number {
  const places = k - ahead
  if (places <= 0) return 0
  if (places > tiedWrong) return 1
  // Without replacement none of the right ones is drawn: C(wrong, places) / C(wrong + right, places).
  let none = 1
  for (let i = 1; i <= tiedRight; i++) none *= (tiedWrong - places + i) / (tiedWrong + i)
  return 1 - none
}

/** The place of the best of what is right; 1 is first. */
export function expectedRank({ ahead, tiedWrong, tiedRight }: QueryRank): number {
  return ahead + 1 + tiedWrong / (tiedRight + 1)
}

/** The chance that any of the scores at `right` is among the `k` highest when ties are broken at random. */
export function topShare(scores: ArrayLike<number>, right: ArrayLike<number>, k: number): number {
  let best = -Infinity
  for (let i = 0; i < right.length; i++) best = Math.max(best, scores[right[i]])
  let [ahead, tied, tiedRight] = [0, 0, 0]
  for (let i = 0; i < scores.length; i++) {
    if (scores[i] > best) ahead++
    else if (scores[i] === best) tied++
  }
  for (let i = 0; i < right.length; i++) if (scores[right[i]] === best) tiedRight++
  return recallAt(k, { ahead, tiedWrong: tied - tiedRight, tiedRight })
}
