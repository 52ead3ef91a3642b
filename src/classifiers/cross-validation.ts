import { random } from '../evaluation/statistics/statistics.js'
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
  fit(
    rows: FeatureRows,
    labels: Uint32Array,
    options: { classes: number; setting: number; start?: LinearClassifier }
  ): LinearClassifier
}

export interface CrossValidation {
  /** The place of the training set that was chosen, and the setting. */
  chosen: number
  setting: number
  /** The examples that were predicted, each by a classifier that was trained without it. */
  examples: Uint32Array
  /** Of each of them its fold. */
  folds: Int32Array
  /** Their probabilities, row-major: `[examples, classes]`. */
  scores: Float64Array
}

/** Up to so many examples each is a fold of its own. */
const LEAVE_ONE_OUT = 20
const FOLDS = 5

/**
 * Stratified folds, by example; -1 for the only example of a class, which must be trained with. So many as
 * are asked for, or as the smallest class has examples, of five; up to 20 examples one fold each.
 */
export function stratifiedFolds(
  labels: Uint32Array,
  { folds, seed }: { folds?: number; seed: number }
): Int32Array {
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

/** What one training set with one setting predicted. */
interface Tried {
  chosen: number
  setting: number
  /** `[all examples, classes]`; zeros for those in no fold. */
  scores: Float64Array
  /** The cross-entropy of each example. */
  losses: Float64Array
}

/**
 * The training set and the setting that predict best what they were not trained with. The sets have the same
 * rows, and differ in their anchors. The predictions of each fold are those of what the other folds choose,
 * so that none is measured by what it helped to choose.
 */
export function crossValidate(sets: TrainingSet[], folds: Int32Array, method: Method): CrossValidation {
  const tried = sets.map((set, chosen) =>
    trySettings(set, folds, method).map((each) => ({ ...each, chosen }))
  )
  const examples = Uint32Array.from(folds.keys()).filter((i) => folds[i] >= 0)
  const [{ classes }] = sets
  const scores = new Float64Array(examples.length * classes)
  for (const fold of new Set(folds)) {
    if (fold < 0) continue
    const best = choose(
      tried,
      examples.filter((i) => folds[i] !== fold)
    )
    examples.forEach(
      (i, at) =>
        folds[i] === fold && scores.set(best.scores.subarray(i * classes, (i + 1) * classes), at * classes)
    )
  }
  const { chosen, setting } = choose(tried, examples)
  return { chosen, setting, examples, folds: Int32Array.from(examples, (i) => folds[i]), scores }
}

/** What each setting of a method predicts of the examples in each fold, by a classifier of all others. */
function trySettings(set: TrainingSet, folds: Int32Array, method: Method): Omit<Tried, 'chosen'>[] {
  const examples = Uint32Array.from(folds.keys()).filter((i) => folds[i] >= 0)
  const parts = [...new Set(folds)].filter((fold) => fold >= 0).map((fold) => split(set, folds, fold))
  const starts: LinearClassifier[] = []
  const tried: (Omit<Tried, 'chosen'> & { loss: number })[] = []
  for (const setting of method.settings) {
    const scores = new Float64Array(set.labels.length * set.classes)
    parts.forEach(({ rows, labels, heldOut }, p) => {
      starts[p] = method.fit(rows, labels, { classes: set.classes, setting, start: starts[p] })
      for (const i of heldOut) scores.set(starts[p].scores(rowAt(set.rows, i)), i * set.classes)
    })
    const losses = crossEntropies(scores, set)
    tried.push({ setting, scores, losses, ...meanLoss(losses, examples) })
    // Past the least it only rises, and the last settings take longest.
    const [third, second, last] = tried.slice(-3)
    if (last && last.loss > second.loss && second.loss > third.loss) break
  }
  return tried
}

/**
 * Of each set the first setting whose cross-entropy on the examples is within one standard error of the least
 * (Hastie et al. 2009, 7.10), since of a few examples the least is often chance; and of these the least.
 */
function choose(tried: Tried[][], examples: Uint32Array): Tried {
  const ofEach = tried.map((ofSet) => {
    const measured = ofSet.map((each) => ({ ...each, ...meanLoss(each.losses, examples) }))
    const least = measured.reduce((best, next) => (next.loss < best.loss ? next : best))
    return measured.find(({ loss }) => loss <= least.loss + least.error)!
  })
  return ofEach.reduce((best, next) => (next.loss < best.loss ? next : best))
}

/** What is trained on without a fold, and what is held out. */
function split({ rows, labels, anchors, classes }: TrainingSet, folds: Int32Array, fold: number) {
  const all = [...folds.keys()]
  const kept = all.filter((i) => folds[i] !== fold)
  return {
    ...withAnchors({
      rows: takeRows(rows, kept),
      labels: Uint32Array.from(kept, (i) => labels[i]),
      classes,
      anchors
    }),
    heldOut: all.filter((i) => folds[i] === fold)
  }
}

/** The rows and labels that are trained on. */
export function withAnchors({
  rows,
  labels,
  classes,
  anchors
}: TrainingSet): Pick<TrainingSet, 'rows' | 'labels'> {
  if (!anchors) return { rows, labels }
  const values = new Float32Array(rows.values.length + anchors.values.length)
  values.set(rows.values)
  values.set(anchors.values, rows.values.length)
  return { rows: { ...rows, values }, labels: Uint32Array.from([...labels, ...Array(classes).keys()]) }
}

/** A probability that rounding made 0 counts as the least that there is. */
function crossEntropies(scores: Float64Array, { labels, classes }: TrainingSet): Float64Array {
  return Float64Array.from(
    labels,
    (label, i) => -Math.log(Math.max(Number.MIN_VALUE, scores[i * classes + label]))
  )
}

/** The mean with its standard error. */
function meanLoss(losses: Float64Array, examples: Uint32Array): { loss: number; error: number } {
  const loss = examples.reduce((sum, i) => sum + losses[i], 0) / examples.length
  const squares = examples.reduce((sum, i) => sum + (losses[i] - loss) ** 2, 0)
  return { loss, error: Math.sqrt(squares / examples.length / Math.max(1, examples.length - 1)) }
}
