/** Rows of features, row-major: n times `dimension` numbers. */
export interface FeatureRows {
  values: Float32Array | Float64Array
  dimension: number
}

/** A linear map from features to classes: the logits of a row x are W x + b. */
export interface LinearClassifier {
  classes: number
  dimension: number
  /** W, row-major: `[classes, dimension]`. */
  weights: Float64Array
  /** b: `[classes]`. */
  intercepts: Float64Array
  /** The probability of each class for one row, which sum to 1. */
  scores(row: ArrayLike<number>): Float64Array
}

/** Makes a classifier of its numbers. */
export function linearClassifier(weights: Float64Array, intercepts: Float64Array): LinearClassifier {
  const [classes, dimension] = [intercepts.length, weights.length / intercepts.length]
  return {
    classes,
    dimension,
    weights,
    intercepts,
    scores: (row) => {
      const logits = intercepts.slice()
      for (let k = 0; k < classes; k++) logits[k] += dotAt(weights, k * dimension, row)
      softmax(logits)
      return logits
    }
  }
}

/** The number of rows. */
export function rowCount({ values, dimension }: FeatureRows): number {
  return values.length / dimension
}

/** One row, as a view. */
export function rowAt({ values, dimension }: FeatureRows, row: number): Float32Array | Float64Array {
  return values.subarray(row * dimension, (row + 1) * dimension)
}

/** Some of the rows, in the order asked for, as a copy. */
export function takeRows(rows: FeatureRows, chosen: ArrayLike<number>): FeatureRows {
  const { values, dimension } = rows
  const taken =
    values instanceof Float32Array
      ? new Float32Array(chosen.length * dimension)
      : new Float64Array(chosen.length * dimension)
  for (let i = 0; i < chosen.length; i++) taken.set(rowAt(rows, chosen[i]), i * dimension)
  return { values: taken, dimension }
}

/**
 * The dot product of a row and as many values from an offset on: four sums, which need not wait for each
 * other.
 */
function dotAt(values: Float64Array, offset: number, row: ArrayLike<number>): number {
  let [first, second, third, fourth] = [0, 0, 0, 0]
  const whole = row.length - (row.length % 4)
  let d = 0
  for (; d < whole; d += 4) {
    first += values[offset + d] * row[d]
    second += values[offset + d + 1] * row[d + 1]
    third += values[offset + d + 2] * row[d + 2]
    fourth += values[offset + d + 3] * row[d + 3]
  }
  for (; d < row.length; d++) first += values[offset + d] * row[d]
  return first + second + third + fourth
}

/** Makes probabilities of logits, in place; returns the logarithm of their sum of exponentials. */
export function softmax(logits: Float64Array): number {
  const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity)
  let sum = 0
  for (let k = 0; k < logits.length; k++) sum += logits[k] = Math.exp(logits[k] - largest)
  for (let k = 0; k < logits.length; k++) logits[k] /= sum
  return largest + Math.log(sum)
}

/** The place of the highest score, of equal ones the first. */
export function best(scores: ArrayLike<number>): number {
  let place = 0
  for (let k = 1; k < scores.length; k++) if (scores[k] > scores[place]) place = k
  return place
}
