import type { CollectionIndex } from './collection-index.js'
import type { Modality } from './record.js'

export interface ScoresOptions {
  target: Modality
  /** A normalised query. */
  query: Float32Array
  ids: string[]
}

/** Ids that are looked up and scored between two places where the work may be interrupted. */
const STRIDE = 64

/**
 * The exact cosine of a query with each of some records, in work that may be interrupted; NaN for one that is
 * not there, or has no such embedding.
 */
export function* scoreRecords(
  index: CollectionIndex,
  { target, query, ids }: ScoresOptions,
  keyOf: (id: string) => number | undefined
): Generator<void, Float32Array> {
  const scores = new Float32Array(ids.length).fill(NaN)
  for (let start = 0; start < ids.length; start += STRIDE) {
    // Labels start at 1: none is at 0.
    const labels = ids.slice(start, start + STRIDE).map((id) => index.labelOf(keyOf(id), target) ?? 0)
    index.modalities[target].scorePairs(
      [query],
      labels,
      (_, position, score) => void (scores[start + position] = score)
    )
    yield
  }
  return scores
}
