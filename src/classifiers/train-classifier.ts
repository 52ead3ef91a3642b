import { random } from '../evaluation/statistics/statistics.js'
import {
  crossValidate,
  type Method,
  stratifiedFolds,
  type TrainingSet,
  withAnchors
} from './cross-validation.js'
import {
  type FeatureRows,
  linearClassifier,
  type LinearClassifier,
  rowAt,
  rowCount,
  takeRows
} from './linear-classifier.js'
import { trainLinearProbe } from './linear-probe.js'
import { type Quality, qualityOf } from './quality.js'

export const METHODS = ['linear-probe', 'nearest-class-mean'] as const
export type MethodName = (typeof METHODS)[number]

export interface TrainOptions {
  method: MethodName
  /** The probe's C, or the scale of the nearest mean's cosines; by cross-validation where it is not given. */
  setting?: number
  folds?: number
  /**
   * Whether the anchors are trained with; `auto` where cross-validation, or the want of it, speaks for them.
   * True by default.
   */
  prior?: boolean | 'auto'
  seed: number
  /** Called often; what it throws ends the training. */
  onPass?: () => void
}

/** A classifier and how it did on what it was not trained with. */
export interface Trained {
  classifier: LinearClassifier
  setting: number
  /** Whether the anchors were trained with. */
  prior: boolean
  /** Null where no class has two examples. */
  validation: (Quality & { folds: number; examples: number }) | null
}

/** Each a decade: CLIP's sweep, without the ends that rows of length 1 have no use for. */
const C_SETTINGS = [0.01, 0.1, 1, 10, 100, 1000, 10_000]
const SCALE_SETTINGS = [2, 5, 10, 20, 50, 100]
/**
 * Where nothing can be held out: scikit-learn's C, and a scale with which cosines of 0.3 and 0.2 are 3 to 1.
 */
export const DEFAULT_SETTINGS: Record<MethodName, number> = { 'linear-probe': 1, 'nearest-class-mean': 10 }
/**
 * The gradient at which a probe is good enough to be compared, scikit-learn's `tol`; the last one continues
 * to a hundredth.
 */
export const COMPARED_AT = 1e-4
/**
 * Iterations after which it is compared in any case, scikit-learn's `max_iter`; the last one has CLIP's
 * 1,000.
 */
const COMPARED_AFTER = 100
/**
 * Examples times features times classes that cross-validation looks at: of more a sample, the same part of
 * each class.
 */
const VALIDATED_SIZE = 4e6

/**
 * Such a sample times its folds, beyond which there are fewer folds, down to two; where these are more there
 * is one setting, so that validating takes no longer than training.
 */
const VALIDATED_WORK = 8e7

/** Chooses the setting, and where it may the prior, by cross-validation, and trains with all examples. */
export function trainClassifier(set: TrainingSet, options: TrainOptions): Trained {
  const { seed, onPass, prior = true } = options
  const sample = sampleSet(prior === false ? { ...set, anchors: undefined } : set, seed)
  // Each with a setting of its own: that of the one would speak against the other.
  const sets = sample.anchors && prior === 'auto' ? [sample, { ...sample, anchors: undefined }] : [sample]
  const { folds, isCostly } = boundedFolds(sets, options)
  const isValidated = folds.some((fold) => fold >= 0)
  const compared = isCostly ? { setting: DEFAULT_SETTINGS[options.method], ...options } : options
  const validated = isValidated ? crossValidate(sets, folds, createMethod(compared, COMPARED_AT)) : undefined
  const setting = validated?.setting ?? options.setting ?? DEFAULT_SETTINGS[options.method]
  const { anchors } = sets[validated?.chosen ?? 0]
  const { rows, labels } = withAnchors({ ...set, anchors })
  const classifier = createMethod({ ...options, onPass }, COMPARED_AT / 100).fit(rows, labels, {
    classes: set.classes,
    setting
  })
  const trained = { classifier, setting, prior: anchors !== undefined }
  if (!validated) return { ...trained, validation: null }
  const { examples, scores } = validated
  const quality = qualityOf(
    scores,
    examples.map((i) => sample.labels[i]),
    { classes: set.classes, seed, folds: validated.folds }
  )
  return {
    ...trained,
    validation: { ...quality, folds: new Set(validated.folds).size, examples: examples.length }
  }
}

/** As many folds as are asked for, or usual, where these are not too much work. */
function boundedFolds(sets: TrainingSet[], options: TrainOptions): { folds: Int32Array; isCostly: boolean } {
  const [{ rows, labels, classes }] = sets
  const size = rows.values.length * classes * sets.length
  const folds = stratifiedFolds(labels, options)
  const count = folds.reduce((most, fold) => Math.max(most, fold + 1), 0)
  const most = Math.max(2, Math.floor(VALIDATED_WORK / size))
  return {
    folds: count > most ? stratifiedFolds(labels, { ...options, folds: most }) : folds,
    isCostly: 2 * size > VALIDATED_WORK
  }
}

/** A method of that name, over the one setting where it is given. */
export function createMethod(
  { method, setting, onPass }: Pick<TrainOptions, 'method' | 'setting' | 'onPass'>,
  tolerance: number
): Method {
  const settings = (standard: number[]) => (setting === undefined ? standard : [setting])
  if (method === 'linear-probe')
    return {
      settings: settings(C_SETTINGS),
      fit: (rows, labels, { setting: c, ...rest }) =>
        trainLinearProbe(rows, labels, {
          ...rest,
          c,
          tolerance,
          onPass,
          ...(tolerance >= COMPARED_AT && { maxIterations: COMPARED_AFTER })
        })
    }
  return {
    settings: settings(SCALE_SETTINGS),
    fit: (rows, labels, { classes, setting: scale }) => {
      onPass?.()
      return trainNearestMean(rows, labels, { classes, scale })
    }
  }
}

/** Few enough of the examples to be trained on many times: at least two of each class that has them. */
function sampleSet(set: TrainingSet, seed: number): TrainingSet {
  const { rows, labels, classes } = set
  const part = VALIDATED_SIZE / (rows.values.length * classes)
  if (part >= 1) return set
  const left = new Int32Array(classes)
  for (const label of labels) left[label]++
  for (let k = 0; k < classes; k++) left[k] = Math.max(Math.min(2, left[k]), Math.floor(part * left[k]))
  const chosen = random(seed)
    .shuffle([...labels.keys()])
    .filter((i) => left[labels[i]]-- > 0)
    .sort((a, b) => a - b)
  return { ...set, rows: takeRows(rows, chosen), labels: Uint32Array.from(chosen, (i) => labels[i]) }
}

/**
 * The nearest-class-mean classifier (Mensink et al. 2013) by cosine: logits are `scale` times the cosine of a
 * row and the normalised mean of each class. Rows are L2-normalised. A class without rows has a mean of
 * zeros, of cosine 0.
 */
function trainNearestMean(
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
