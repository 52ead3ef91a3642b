import {
  distributionOf,
  jointScores,
  ranksOf,
  reciprocalRankFusion,
  standardScores,
  weightedMean,
  weightsOf,
  type Columns,
  type Fusion
} from './fusion.js'
import type { ModalityIndex } from './modality-index.js'
import { MODALITIES, type Modality } from './record.js'
import type { Hit } from './top-k.js'

/** Where the scores of records are read. */
export interface FusedRecords {
  modalities: Record<Modality, ModalityIndex>
  /** By row the label of each modality, 0 for none. */
  labels: Record<Modality, number[]>
  /** The inner product of a record's own two embeddings, by its row; NaN where it lacks one. */
  inner(row: number): number
}

export interface FusedSearch {
  query: Float32Array
  fusion: Fusion
  /** What the search of each modality found; what was looked at in all where they are not there. */
  lists?: Record<Modality, Hit[]>
}

/** Embeddings of a modality, at most, that tell how a query's cosines are spread. */
const SPREAD_SAMPLE = 1024
/** Matches up to so many are found among so many candidates of each modality, at least four times as many. */
export const RECORD_DEPTHS = [
  { most: 100, window: 400 },
  { most: 1000, window: 4000 },
  { most: Infinity, window: 40_000 }
]

/**
 * What a lesser depth found, and behind it the rest of what a greater one finds, so that the first page of a
 * query never changes with the last one. Ranks and candidates are others for each depth: what the greater one
 * puts before the last that was shown stands right behind that, with its score.
 */
export function withRest(shown: Hit[], found: Hit[]): Hit[] {
  const keys = new Set(shown.map(({ label }) => label))
  const highest = shown.at(-1)?.score ?? Infinity
  const rest = found.filter(({ label }) => !keys.has(label))
  return [...shown, ...rest.map(({ label, score }) => ({ label, score: Math.min(score, highest) }))]
}

/** The fused score of each of some records, by their rows; NaN for what is no match. */
export function fusedScores(
  records: FusedRecords,
  rows: number[],
  { query, fusion, lists }: FusedSearch
): Float64Array {
  const weights = weightsOf(fusion)
  const cosines = byModality((modality) => cosinesOf(records, rows, { query, modality }))
  switch (fusion.method) {
    case 'rrf':
      return reciprocalRankFusion(
        {
          cosines,
          ranks: byModality((modality) =>
            ranksOf(
              lists
                ? listed(cosines[modality], rows, { labels: records.labels[modality], hits: lists[modality] })
                : cosines[modality]
            )
          )
        },
        weights
      )
    case 'joint':
      return jointScores({ cosines, inner: Float64Array.from(rows, (row) => records.inner(row)) }, weights)
    case 'weighted':
      if (fusion.normalisation !== 'z-score') return weightedMean(cosines, weights)
      return weightedMean(
        byModality((modality) =>
          standardScores(
            cosines[modality],
            distributionOf(records.modalities[modality].sampleScores(query, SPREAD_SAMPLE))
          )
        ),
        weights
      )
  }
}

function byModality(column: (modality: Modality) => Float64Array): Columns {
  const [image, text] = MODALITIES.map(column)
  return { image, text }
}

function cosinesOf(
  { modalities, labels }: FusedRecords,
  rows: number[],
  { query, modality }: { query: Float32Array; modality: Modality }
): Float64Array {
  const cosines = new Float64Array(rows.length).fill(NaN)
  modalities[modality].scorePairs(
    [query],
    rows.map((row) => labels[modality][row] ?? 0),
    (_, position, score) => void (cosines[position] = score)
  )
  return cosines
}

/** The cosines of what a list has, NaN for the others. */
function listed(
  cosines: Float64Array,
  rows: number[],
  { labels, hits }: { labels: number[]; hits: Hit[] }
): Float64Array {
  const found = new Set(hits.map(({ label }) => label))
  return cosines.map((cosine, i) => (found.has(labels[rows[i]]) ? cosine : NaN))
}
