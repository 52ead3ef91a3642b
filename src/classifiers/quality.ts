import { bootstrapMean } from '../evaluation/statistics/statistics.js'
import { best } from './linear-classifier.js'

/** Of predictions with what was true of them. */
export interface Quality {
  /** The part that is right, with its 95 % bootstrap interval. */
  accuracy: { value: number; low: number; high: number }
  /**
   * Area under the ROC curve, each class against the rest, mean over the classes that there are; null of one
   * class alone, and where no two were predicted by the same classifier, as where each was left out alone.
   */
  auroc: number | null
  /** Rows are the true classes, columns the predicted ones; null of more than 100 classes. */
  confusion: number[][] | null
  /**
   * The pairs of classes that are confused most often, at most 100 of them; of classifiers that are older
   * than this field there are none.
   */
  confused?: { actual: number; predicted: number; count: number }[]
}

/** Classes up to which all confusions are kept: those of 1,000 are a million numbers. */
export const CONFUSION_CLASSES = 100
/** Pairs that are kept of those that are confused. */
const MOST_PAIRS = 100

const RESAMPLES = 1000

export interface QualityOptions {
  classes: number
  /**
   * Of each row which classifier predicted it: scores of several are not compared. One predicted all, if not
   * given.
   */
  folds?: Int32Array
  seed: number
}

/** Measures predictions: `scores` are row-major `[n, classes]`, `labels` what is true of each row. */
export function qualityOf(
  scores: Float64Array,
  labels: ArrayLike<number>,
  { classes, folds = new Int32Array(labels.length), seed }: QualityOptions
): Quality {
  const confusion =
    classes <= CONFUSION_CLASSES
      ? Array.from({ length: classes }, () => new Array<number>(classes).fill(0))
      : null
  const wrong = new Map<number, number>()
  const right = new Float64Array(labels.length)
  for (let i = 0; i < labels.length; i++) {
    const predicted = best(scores.subarray(i * classes, (i + 1) * classes))
    if (confusion) confusion[labels[i]][predicted]++
    const pair = labels[i] * classes + predicted
    if (predicted !== labels[i]) wrong.set(pair, (wrong.get(pair) ?? 0) + 1)
    right[i] = Number(predicted === labels[i])
  }
  const { value, low, high } = bootstrapMean(right, { seed, resamples: RESAMPLES, confidence: 0.95 })
  return {
    accuracy: { value, low, high },
    auroc: macroAuroc(scores, labels, { classes, folds }),
    confusion,
    confused: mostConfused(wrong, classes)
  }
}

function mostConfused(wrong: Map<number, number>, classes: number): Quality['confused'] {
  const pairs = [...wrong].sort(([a, m], [b, n]) => n - m || a - b).slice(0, MOST_PAIRS)
  return pairs.map(([pair, count]) => ({
    actual: Math.floor(pair / classes),
    predicted: pair % classes,
    count
  }))
}

function macroAuroc(
  scores: Float64Array,
  labels: ArrayLike<number>,
  { classes, folds }: { classes: number; folds: Int32Array }
): number | null {
  const parts = [...new Set(folds)].map((fold) => [...folds.keys()].filter((i) => folds[i] === fold))
  const areas = Array.from({ length: classes }, (_, k) =>
    withinFolds(
      parts.map((rows) => ({
        scores: rows.map((i) => scores[i * classes + k]),
        isPositive: rows.map((i) => labels[i] === k)
      }))
    )
  )
  const known = areas.filter((area) => area !== null)
  return known.length === 0 ? null : known.reduce((sum, area) => sum + area, 0) / known.length
}

/**
 * Of all pairs of a positive and a negative of one fold the part that is in order: classifiers of several
 * folds differ in where their scores lie, so that pairs across folds say nothing (Airola et al. 2011, An
 * experimental comparison of cross-validation techniques for estimating the area under the ROC curve). Null
 * where there are none.
 */
function withinFolds(parts: { scores: number[]; isPositive: boolean[] }[]): number | null {
  let [pairs, ordered] = [0, 0]
  for (const { scores, isPositive } of parts) {
    const positives = isPositive.filter(Boolean).length
    const own = positives * (isPositive.length - positives)
    pairs += own
    ordered += own * (auroc(scores, isPositive) ?? 0)
  }
  return pairs === 0 ? null : ordered / pairs
}

/**
 * How probable it is that a positive has a higher score than a negative, ties counting half: the Mann-Whitney
 * statistic, by ranks (Fawcett 2006). Null where there is none of either.
 */
export function auroc(scores: ArrayLike<number>, isPositive: boolean[]): number | null {
  const order = Array.from(isPositive.keys()).sort((a, b) => scores[a] - scores[b])
  const positives = isPositive.filter(Boolean).length
  const negatives = isPositive.length - positives
  if (positives === 0 || negatives === 0) return null
  let ranks = 0
  for (let from = 0; from < order.length;) {
    let to = from
    let tied = 0
    while (to < order.length && scores[order[to]] === scores[order[from]])
      tied += Number(isPositive[order[to++]])
    // Of equal scores all have the mean of their ranks, which begin at 1.
    ranks += (tied * (from + 1 + to)) / 2
    from = to
  }
  return (ranks - (positives * (positives + 1)) / 2) / (positives * negatives)
}
