import { averagePrecision, expectedRank, recallAt, type QueryRank } from '../statistics/query-ranks.js'
import type { Curve, Figure } from '../report.js'
import { bootstrapMeans, bootstrapMedian, type SamplingOptions } from '../statistics/statistics.js'

/** Retrieval from one modality to the other. */
export interface Way {
  name: 'text_to_image' | 'image_to_text'
  /** How many there are to find. */
  candidates: number
  /** By the query's row. */
  queries: Map<number, QueryRank>
  /** Of each query, how many candidates are right. */
  rightOf: Map<number, number>
  /** The queries of which number are drawn together. */
  clusterOf(query: number): number
  harmonic: Float64Array
}

const KS = [1, 5, 10]
/** As figures are reported. */
const ORDER = [...KS.map((k) => `recall@${k}`), 'median_rank', 'map']
const CURVE_KS = [1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100]

interface Measured {
  figures: Record<string, Figure>
  perItem: Record<string, Float64Array>
  clusters: Record<string, Uint32Array>
  curve: Curve
}

/**
 * recall@1, @5 and @10, median rank and mean average precision, with the chance that guessing has, and
 * recall@k over k.
 */
export function measureWay(way: Way, sampling: SamplingOptions): Measured {
  const ranks = [...way.queries.values()]
  const options = { ...sampling, clusters: Uint32Array.from(way.queries.keys(), way.clusterOf) }
  const recalls = (ks: number[]) => ks.map((k) => Float64Array.from(ranks, (rank) => recallAt(k, rank)))
  const means: Record<string, Float64Array> = Object.fromEntries([
    ...recalls(KS).map((values, i) => [`recall@${KS[i]}`, values]),
    ['map', Float64Array.from(ranks, ({ averagePrecision }) => averagePrecision)]
  ])
  const curveKs = CURVE_KS.filter((k) => k <= way.candidates)
  const intervals = bootstrapMeans([...Object.values(means), ...recalls(curveKs)], options)
  const medianRank = Float64Array.from(ranks, expectedRank)
  const figures: Record<string, Figure> = Object.fromEntries(
    Object.keys(means).map((measure, i) => [
      measure,
      { ...intervals[i], items: ranks.length, chance: chanceOf(way, measure) }
    ])
  )
  const named = <T>(values: Record<string, T>) =>
    Object.fromEntries(ORDER.map((measure) => [`${way.name}.${measure}`, values[measure]]))
  return {
    figures: named({
      ...figures,
      median_rank: { ...bootstrapMedian(medianRank, options), items: ranks.length }
    }),
    perItem: named({ ...means, median_rank: medianRank }),
    clusters: named(Object.fromEntries(ORDER.map((measure) => [measure, options.clusters]))),
    curve: {
      name: way.name === 'text_to_image' ? 'text to image' : 'image to text',
      points: intervals
        .slice(-curveKs.length)
        .map(({ value, low, high }, i) => ({ x: curveKs[i], y: value, low, high }))
    }
  }
}

/**
 * The mean over the queries of what one has whose candidates all score the same; equal numbers of right ones
 * are computed once.
 */
function chanceOf({ rightOf, candidates, harmonic }: Way, measure: string): number {
  const guess = (tiedRight: number) =>
    measure === 'map'
      ? averagePrecision(
          Array.from({ length: tiedRight }, () => ({ score: 0, ahead: 0, tied: candidates })),
          harmonic
        )
      : recallAt(Number(measure.slice('recall@'.length)), {
          ahead: 0,
          tiedWrong: candidates - tiedRight,
          tiedRight
        })
  const known = new Map<number, number>()
  let sum = 0
  for (const tiedRight of rightOf.values()) {
    if (!known.has(tiedRight)) known.set(tiedRight, guess(tiedRight))
    sum += known.get(tiedRight)!
  }
  return sum / rightOf.size
}
