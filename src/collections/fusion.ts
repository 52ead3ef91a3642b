import type { Modality } from './record.js'

/** How the matches by image and by text become one list of records. */
export interface Fusion {
  method: 'rrf' | 'weighted'
  /** The weight of each modality; 1 by default. */
  weights?: Partial<Record<Modality, number>>
}

/** Reciprocal rank fusion's constant, as its authors set it (Cormack, Clarke and Buettcher 2009). */
const RRF_K = 60

/**
 * Reciprocal rank fusion: a record scores the sum of weight / (60 + rank) over the lists it is in. It needs no common
 * scale: cosines of two texts run far higher than those of a text and an image, and would drown them.
 */
export function reciprocalRankFusion(lists: Partial<Record<Modality, number[]>>, { weights = {} }: Fusion): Map<number, number> {
  const scores = new Map<number, number>()
  for (const [modality, ranked] of Object.entries(lists) as [Modality, number[]][]) {
    const weight = weights[modality] ?? 1
    ranked.forEach((item, i) => scores.set(item, (scores.get(item) ?? 0) + weight / (RRF_K + i + 1)))
  }
  return scores
}

/** The weighted mean of a record's cosines over the modalities that it has. */
export function weightedScore(cosines: Partial<Record<Modality, number>>, { weights = {} }: Fusion): number {
  let [sum, total] = [0, 0]
  for (const [modality, score] of Object.entries(cosines) as [Modality, number][]) {
    const weight = weights[modality] ?? 1
    sum += weight * score
    total += weight
  }
  return total > 0 ? sum / total : 0
}
