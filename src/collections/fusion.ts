import { MODALITIES, type Modality } from './record.js'

export const FUSION_METHODS = ['rrf', 'weighted', 'joint'] as const
export const NORMALISATIONS = ['none', 'z-score'] as const

/** How what a query has in common with a record's image and with its text becomes one score. */
export interface Fusion {
  /** Late fusion of ranks or of scores, or early fusion: one joint vector a record. */
  method: (typeof FUSION_METHODS)[number]
  /** The weight of each modality, not negative; 1 by default. */
  weights?: Partial<ModalityWeights>
  /** Of the cosines before they are averaged, for `weighted`; none by default. */
  normalisation?: (typeof NORMALISATIONS)[number]
}

export type ModalityWeights = Record<Modality, number>

/** A number a record, by modality: NaN where the record lacks it. */
export type Columns = Record<Modality, Float64Array>

/** How the cosines of one query with all embeddings of a modality are spread. */
export interface Distribution {
  mean: number
  /** The standard deviation. */
  deviation: number
}

/** Reciprocal rank fusion's constant, as its authors set it (Cormack, Clarke and Buettcher 2009). */
const RRF_K = 60
/** A joint vector shorter than this part of its weights is rounding: the two embeddings cancel each other. */
const LEAST_NORM = 1e-3

/** The weights with their defaults. */
export function weightsOf({ weights = {} }: Pick<Fusion, 'weights'>): ModalityWeights {
  return { image: weights.image ?? 1, text: weights.text ?? 1 }
}

/**
 * Reciprocal rank fusion: a record scores the sum of weight / (60 + rank) over the lists, nothing where a
 * list ends above it (its rank is NaN). It needs no common scale: cosines of two texts run far higher than
 * those of a text and an image. A modality that a record lacks (its cosine is NaN) counts as the one that it
 * has, or it could never come near records that hold both. NaN for a record that holds nothing of weight.
 */
export function reciprocalRankFusion(
  { cosines, ranks }: { cosines: Columns; ranks: Columns },
  weights: ModalityWeights
): Float64Array {
  const total = weights.image + weights.text
  return cosines.image.map((_, i) => {
    let [sum, present] = [0, 0]
    for (const modality of MODALITIES) {
      if (Number.isNaN(cosines[modality][i])) continue
      const rank = ranks[modality][i]
      present += weights[modality]
      if (!Number.isNaN(rank)) sum += weights[modality] / (RRF_K + rank)
    }
    return present > 0 ? (sum * total) / present : NaN
  })
}

/**
 * The weighted mean of a record's scores over the modalities that it has; NaN for a record that holds nothing
 * of weight.
 */
export function weightedMean(scores: Columns, weights: ModalityWeights): Float64Array {
  return scores.image.map((_, i) => {
    let [sum, present] = [0, 0]
    for (const modality of MODALITIES) {
      if (Number.isNaN(scores[modality][i])) continue
      sum += weights[modality] * scores[modality][i]
      present += weights[modality]
    }
    return present > 0 ? sum / present : NaN
  })
}

/**
 * Early fusion: the cosine of the query with the joint vector, w_image e_image + w_text e_text brought to
 * length 1. It follows from the two cosines and the inner product of the record's own two embeddings. A
 * record that lacks one of them is the other. NaN for a record that holds nothing of weight, 0 where its
 * embeddings cancel each other.
 */
export function jointScores(
  { cosines: { image, text }, inner }: { cosines: Columns; inner: Float64Array },
  weights: ModalityWeights
): Float64Array {
  const [w, v] = [weights.image, weights.text]
  return image.map((_, i) => {
    const [byImage, byText] = [w > 0 ? image[i] : NaN, v > 0 ? text[i] : NaN]
    if (Number.isNaN(byImage)) return byText
    if (Number.isNaN(byText)) return byImage
    const norm = Math.sqrt(Math.max(0, w * w + v * v + 2 * w * v * inner[i]))
    return norm > LEAST_NORM * (w + v) ? (w * byImage + v * byText) / norm : 0
  })
}

/** Ranks of the scores, 1 for the highest; equal ones share the mean of theirs. NaN stays NaN. */
export function ranksOf(scores: Float64Array): Float64Array {
  const ranks = new Float64Array(scores.length).fill(NaN)
  const order = Uint32Array.from(scores.keys())
    .filter((i) => !Number.isNaN(scores[i]))
    .sort((a, b) => scores[b] - scores[a])
  for (let from = 0, to = 0; from < order.length; from = to) {
    while (to < order.length && scores[order[to]] === scores[order[from]]) to++
    for (let i = from; i < to; i++) ranks[order[i]] = (from + 1 + to) / 2
  }
  return ranks
}

/** The mean and standard deviation of cosines; NaN is passed over. */
export function distributionOf(cosines: Float64Array): Distribution {
  const present = cosines.filter((value) => !Number.isNaN(value))
  const mean = present.reduce((sum, value) => sum + value, 0) / present.length
  return {
    mean,
    deviation: Math.sqrt(present.reduce((sum, value) => sum + (value - mean) ** 2, 0) / present.length)
  }
}

/**
 * Cosines as standard scores: how many standard deviations they are above the query's mean. It puts the two
 * modalities on one scale, so that a record of text alone doesn't stand above all others. 0 where all are
 * equal.
 */
export function standardScores(cosines: Float64Array, { mean, deviation }: Distribution): Float64Array {
  // Cosines are float32: what they differ by below that is rounding.
  return cosines.map((value) =>
    Number.isNaN(value) ? NaN : deviation > 1e-6 ? (value - mean) / deviation : 0
  )
}
