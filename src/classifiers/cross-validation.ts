import { random } from '../evaluation/statistics.js'
import { rowAt, takeRows, type FeatureRows, type LinearClassifier } from './linear-classifier.js'

/** Labelled rows. `anchors` are one row a class that is always trained with and never predicted. */
export interface TrainingSet {
  rows: FeatureRows
  labels: Uint32Array
  classes: number
  anchors?: FeatureRows
}

/** A way to train, with one number to choose; settings are in ascending order. */
export interface Method {
  settings: number[]
  /** `start` is what a neighboring setting gave on the same rows. */
  fit(rows: FeatureRows, labels: Uint32Array, options: { classes: number; setting: number; start?: LinearClassifier }): LinearClassifier
}

export interface CrossValidation {
  setting: number
  /** Its mean cross-entropy. */
  loss: number
  /** The examples that were predicted, each by a classifier that was trained without it. */
  examples: Uint32Array
  /** Their probabilities with that setting, row-major: `[examples, classes]`. */
  scores: Float64Array
}

/** Up to so many examples each is a fold of its own. */
const LEAVE_ONE_OUT = 20
const FOLDS = 5

/**
 * Stratified folds, by example; -1 for the only example of a class, which must be trained with. So many as are asked for,
 * or as the smallest class has examples, of five; up to 20 examples one fold each.
 */
export function stratifiedFolds(labels: Uint32Array, { folds, seed }: { folds?: number; seed: number }): Int32Array {
  const byClass = new Map<number, number[]>()
  labels.forEach((label, i) => byClass.set(label, [...(byClass.get(label) ?? []), i]))
  const groups = [...byClass.values()].filter(({ length }) => length > 1)
  const all = groups.reduce((sum, { length }) => sum + length, 0)
  const count = folds ?? (all <= LEAVE_ONE_OUT ? all : Math.min(FOLDS, ...groups.map(({ length }) => length)))
  const { shuffle } = random(seed)
  const places = new Int32Array(labels.length).fill(-1)
  // Dealt on from class to class, so that folds are of one size.
  let next = 0
  for (const group of groups) for (const example of shuffle(group)) places[example] = next++ % count
  return places
}

/**
 * The setting that predicts best what it was not trained with, and these predictions: the first whose cross-entropy is
 * within one standard error of the least (Hastie et al. 2009, 7.10), since of a few examples the least is often chance.
 */
export function crossValidate(set: TrainingSet, folds: Int32Array, method: Method): CrossValidation {
  const examples = Uint32Array.from(folds.keys()).filter((i) => folds[i] >= 0)
  const parts = [...new Set(folds)].filter((fold) => fold >= 0).map((fold) => split(set, folds, fold))
  const starts: LinearClassifier[] = []
  const tried: { setting: number; scores: Float64Array; loss: number; error: number }[] = []
  for (const setting of method.settings) {
    const scores = new Float64Array(set.labels.length * set.classes)
    parts.forEach(({ rows, labels, heldOut }, p) => {
      starts[p] = method.fit(rows, labels, { classes: set.classes, setting, start: starts[p] })
      for (const i of heldOut) scores.set(starts[p].scores(rowAt(set.rows, i)), i * set.classes)
    })
    tried.push({ setting, scores, ...crossEntropy(scores, set, examples) })
    // Past the least it only rises, and the last settings take longest.
    const [third, second, last] = tried.slice(-3)
    if (last && last.loss > second.loss && second.loss > third.loss) break
  }
  const least = tried.reduce((best, next) => (next.loss < best.loss ? next : best))
  const { setting, loss, scores } = tried.find((each) => each.loss <= least.loss + least.error)!
  const { values } = takeRows({ values: scores, dimension: set.classes }, examples)
  return { setting, loss, examples, scores: values as Float64Array }
}

/** What is trained on without a fold, and what is held out. */
function split({ rows, labels, anchors, classes }: TrainingSet, folds: Int32Array, fold: number) {
  const all = [...folds.keys()]
  const kept = all.filter((i) => folds[i] !== fold)
  return { ...withAnchors({ rows: takeRows(rows, kept), labels: Uint32Array.from(kept, (i) => labels[i]), classes, anchors }), heldOut: all.filter((i) => folds[i] === fold) }
}

/** The rows and labels that are trained on. */
export function withAnchors({ rows, labels, classes, anchors }: TrainingSet): Pick<TrainingSet, 'rows' | 'labels'> {
  if (!anchors) return { rows, labels }
  const values = new Float32Array(rows.values.length + anchors.values.length)
  values.set(rows.values)
  values.set(anchors.values, rows.values.length)
  return { rows: { ...rows, values }, labels: Uint32Array.from([...labels, ...Array(classes).keys()]) }
}

/** The mean cross-entropy with its standard error; a probability that rounding made 0 counts as the least that there is. */
function crossEntropy(scores: Float64Array, { labels, classes }: TrainingSet, examples: Uint32Array): { loss: number; error: number } {
  const losses = Float64Array.from(examples, (i) => -Math.log(Math.max(Number.MIN_VALUE, scores[i * classes + labels[i]])))
  const loss = losses.reduce((sum, each) => sum + each, 0) / losses.length
  const squares = losses.reduce((sum, each) => sum + (each - loss) ** 2, 0)
  return { loss, error: Math.sqrt(squares / losses.length / Math.max(1, losses.length - 1)) }
}
