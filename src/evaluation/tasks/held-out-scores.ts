import { takeRows } from '../../classifiers/linear-classifier.js'
import { trainLinearProbe } from '../../classifiers/linear-probe.js'
import type { Rows } from '../embedding/embedder.js'
import { rowAt } from '../embedding/rows.js'
import { random } from '../statistics/statistics.js'

const FOLDS = 5
/**
 * Inverse strength of the regularisation: embeddings have length 1, so that a weaker one is needed than for
 * standardised features.
 */
const C = 10
/** Enough for an order of candidates. */
const [TOLERANCE, ITERATIONS] = [1e-6, 300]

/** What is right of the items, and the fold that each was predicted in. */
export interface HeldOut {
  values: Float64Array
  folds: number[]
}

/**
 * Scores `[n, classes]` of each row by a logistic regression that was trained on the rows of the other folds.
 */
export function heldOutScores(
  rows: Rows,
  labels: Uint32Array,
  { classes, folds }: { classes: number; folds: Uint32Array }
): Float64Array {
  const scores = new Float64Array(labels.length * classes)
  const all = [...labels.keys()]
  for (let fold = 0; fold < FOLDS; fold++) {
    const kept = all.filter((i) => folds[i] !== fold)
    const probe = trainLinearProbe(
      takeRows(rows, kept),
      Uint32Array.from(kept, (i) => labels[i]),
      { classes, c: C, tolerance: TOLERANCE, maxIterations: ITERATIONS }
    )
    for (const i of all) if (folds[i] === fold) scores.set(probe.scores(rowAt(rows, i)), i * classes)
  }
  return scores
}

/**
 * Folds of items of about one size, items that share a key in one; undefined where the keys tie them together
 * into fewer groups than folds.
 */
export function foldsByGroup(keysOf: string[][], seed: number): Uint32Array | undefined {
  const parents = Uint32Array.from(keysOf.keys())
  const root = (item: number): number => {
    while (parents[item] !== item) item = parents[item] = parents[parents[item]]
    return item
  }
  const holders = new Map<string, number>()
  keysOf.forEach((keys, item) =>
    keys.forEach((key) => {
      const holder = holders.get(key)
      if (holder === undefined) holders.set(key, item)
      else parents[root(item)] = root(holder)
    })
  )
  const groups = new Map<number, number[]>()
  for (const item of keysOf.keys()) {
    const group = groups.get(root(item))
    if (group) group.push(item)
    else groups.set(root(item), [item])
  }
  if (groups.size < FOLDS) return undefined
  const { shuffle } = random(seed)
  const sizes = new Uint32Array(FOLDS)
  const folds = new Uint32Array(keysOf.length)
  for (const group of shuffle([...groups.values()]).sort((a, b) => b.length - a.length)) {
    const smallest = sizes.indexOf(sizes.reduce((a, b) => Math.min(a, b)))
    for (const item of group) folds[item] = smallest
    sizes[smallest] += group.length
  }
  return folds
}
