import {
  linearClassifier,
  rowAt,
  rowCount,
  type FeatureRows,
  type LinearClassifier
} from './linear-classifier.js'

/**
 * The nearest-class-mean classifier (Mensink et al. 2013) by cosine: logits are `scale` times the cosine of a
 * row and the normalised mean of each class. Rows are L2-normalised. A class without rows has a mean of
 * zeros, of cosine 0.
 */
export function trainNearestMean(
  rows: FeatureRows,
  labels: ArrayLike<number>,
  { classes, scale }: { classes: number; scale: number }
): LinearClassifier {
  const { dimension } = rows
  const means = new Float64Array(classes * dimension)
  for (let i = 0; i < rowCount(rows); i++) {
    const row = rowAt(rows, i)
    for (let d = 0, place = labels[i] * dimension; d < dimension; d++) means[place + d] += row[d]
  }
  for (let k = 0; k < classes; k++) {
    const mean = means.subarray(k * dimension, (k + 1) * dimension)
    const norm = Math.sqrt(mean.reduce((sum, value) => sum + value * value, 0))
    if (norm > 0) for (let d = 0; d < dimension; d++) mean[d] *= scale / norm
  }
  return linearClassifier(means, new Float64Array(classes))
}
