import { minimise } from './lbfgs.js'
import {
  linearClassifier,
  rowCount,
  softmax,
  type FeatureRows,
  type LinearClassifier
} from './linear-classifier.js'

export type LinearProbe = LinearClassifier

export interface LinearProbeOptions {
  /** Number of classes; labels are below it. */
  classes: number
  /** Inverse strength of the regularisation, as scikit-learn's C. */
  c: number
  /** A probe of the same shape to begin at: that of a neighboring C is near. */
  start?: LinearProbe
  tolerance?: number
  maxIterations?: number
  /** Called before each pass over the rows; what it throws ends the training. */
  onPass?: () => void
}

/**
 * Trains an L2-regularised multinomial logistic regression by L-BFGS, CLIP's linear probe (Radford et al.
 * 2021, A.3). The objective is scikit-learn's, 1/2 |W|^2 + C sum of cross-entropies, with the intercepts not
 * penalised.
 */
export function trainLinearProbe(
  rows: FeatureRows,
  labels: ArrayLike<number>,
  options: LinearProbeOptions
): LinearProbe {
  const { classes, start, tolerance, maxIterations } = options
  const size = classes * rows.dimension
  const from = new Float64Array(size + classes)
  if (start) {
    from.set(start.weights)
    from.set(start.intercepts, size)
  }
  const { at } = minimise(regularisedLoss(rows, labels, options), from, { tolerance, maxIterations })
  return linearClassifier(at.slice(0, size), at.slice(size))
}

/** Rows that are gone through together: each weight is fetched once for all of them. */
const BLOCK = 4

/** The objective divided by n C, so that its gradient has one size whatever they are. */
function regularisedLoss(
  rows: FeatureRows,
  labels: ArrayLike<number>,
  { classes, c, onPass }: LinearProbeOptions
) {
  const { dimension } = rows
  const [n, size] = [rowCount(rows), classes * dimension]
  const strength = 1 / (c * n)
  // Of one type whatever the rows are of, and zeros to the end of the last block: loops over them are
  // compiled for it.
  const x = new Float64Array(Math.ceil(n / BLOCK) * BLOCK * dimension)
  x.set(rows.values)
  const logits = Array.from({ length: BLOCK }, () => new Float64Array(classes))
  return (at: Float64Array, gradient: Float64Array): number => {
    onPass?.()
    let loss = 0
    for (let d = 0; d < size; d++) {
      gradient[d] = strength * at[d]
      loss += (strength / 2) * at[d] * at[d]
    }
    for (let from = 0; from < n; from += BLOCK) {
      multiply(logits, at, x.subarray(from * dimension, (from + BLOCK) * dimension))
      logits.forEach((own, i) => {
        if (from + i >= n) return void own.fill(0)
        const label = labels[from + i]
        const truth = own[label]
        loss += (softmax(own) - truth) / n
        own[label] -= 1
        for (let k = 0; k < classes; k++) own[k] /= n
      })
      accumulate(gradient, logits, x.subarray(from * dimension, (from + BLOCK) * dimension))
    }
    return loss
  }
}

/**
 * The logits of a block of rows, each `[classes]`, by weights `[classes, dimension]` with the intercepts
 * behind them.
 */
function multiply(logits: Float64Array[], at: Float64Array, x: Float64Array): void {
  const [first, second, third, fourth] = logits
  const dimension = x.length / BLOCK
  const classes = first.length
  for (let k = 0, w = 0; k < classes; k++) {
    let a = at[classes * dimension + k]
    let [b, c, d] = [a, a, a]
    for (let i = 0; i < dimension; i++, w++) {
      const weight = at[w]
      a += weight * x[i]
      b += weight * x[dimension + i]
      c += weight * x[2 * dimension + i]
      d += weight * x[3 * dimension + i]
    }
    first[k] = a
    second[k] = b
    third[k] = c
    fourth[k] = d
  }
}

/** Adds to the gradient what a block of rows, with the errors of their probabilities, gives to it. */
function accumulate(
  gradient: Float64Array,
  [first, second, third, fourth]: Float64Array[],
  x: Float64Array
): void {
  const dimension = x.length / BLOCK
  const classes = first.length
  for (let k = 0, w = 0; k < classes; k++) {
    const [a, b, c, d] = [first[k], second[k], third[k], fourth[k]]
    gradient[classes * dimension + k] += a + b + c + d
    for (let i = 0; i < dimension; i++, w++)
      gradient[w] += a * x[i] + b * x[dimension + i] + c * x[2 * dimension + i] + d * x[3 * dimension + i]
  }
}
