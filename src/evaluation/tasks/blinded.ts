import { takeRows } from '../../classifiers/linear-classifier.js'
import { trainLinearProbe } from '../../classifiers/linear-probe.js'
import { cosine, normalise } from '../../encoder/embedding.js'
import { rowAt, rowCount, type Rows } from '../embedding/embedder.js'
import { random } from '../statistics/statistics.js'

/** One measure of a dataset's own task, with the images as they are. */
export interface SightedMeasure {
  values: Float64Array
  chance: number
  /** Of each value, which are drawn together. */
  clusters?: Uint32Array
}

/** The same task without looking at the right image, or at any. */
export interface BlindRun {
  /** As in `blind[name].measure`. */
  name: string
  /** What gives the answers, as the subject of a sentence. */
  what: string
  values: Record<string, Float64Array>
  /** What guessing gives, where a run can know more than that the answers are equally frequent. */
  chance?: number
}

/** A dataset's own task, and what is done without its images. */
export interface Blinded {
  sighted: Record<string, SightedMeasure>
  runs: BlindRun[]
  method: string[]
  /** Each image and whose was in its place, by their ids; of pairs, their first ones. */
  swapped: [string, string][]
  /** What else a repetition needs. */
  details?: Record<string, unknown>
}

/**
 * In the place of each row the mean of those of other groups, L2-normalised: what is known of a row without
 * looking at it. A mean with the row in it would see a little of it, and of few rows a lot. Of one group
 * alone it is zeros.
 */
export function meanOfOthers<Group>(rows: Rows, groups: ArrayLike<Group>): Rows {
  const { dimension } = rows
  const total = new Float64Array(dimension)
  const sums = new Map<Group, Float64Array>()
  for (let i = 0; i < rowCount(rows); i++) {
    const sum = sums.get(groups[i]) ?? new Float64Array(dimension)
    sums.set(groups[i], sum)
    rowAt(rows, i).forEach((value, d) => {
      total[d] += value
      sum[d] += value
    })
  }
  const values = new Float32Array(rows.values.length)
  for (let i = 0; i < rowCount(rows); i++) {
    if (sums.size > 1)
      values.set(
        normalise(Float32Array.from(sums.get(groups[i])!, (own, d) => total[d] - own)),
        i * dimension
      )
  }
  return { dimension, values }
}

/** Cosine from which two images are taken for the same. */
const SAME = 1 - 1e-6
/** Draws after which an item that has only its duplicates to swap with keeps one of them. */
const TRIES = 1000

/**
 * For each item another one whose images it gets: a random permutation in which no item keeps its own, nor
 * gets a duplicate of it where there is anything else. `perItem` rows belong to an item.
 */
export function swapImages(images: Rows, seed: number, perItem = 1): Uint32Array {
  const items = images.values.length / images.dimension / perItem
  const { int, shuffle } = random(seed)
  const other = Uint32Array.from(shuffle(Array.from({ length: items }, (_, i) => i)))
  const isSame = (a: number, b: number) =>
    a === b ||
    Array.from({ length: perItem }, (_, k) =>
      cosine(rowAt(images, a * perItem + k), rowAt(images, b * perItem + k))
    ).every((similarity) => similarity >= SAME)
  for (let i = 0; i < items; i++) {
    for (let tries = 0; items > 1 && tries < TRIES && isSame(i, other[i]); tries++) {
      const j = int(items)
      // Both must be well off after the exchange; an item that can't be is left to its own turn.
      if (j === i || isSame(i, other[j]) || (isSame(j, other[i]) && !isSame(j, other[j]))) continue
      ;[other[i], other[j]] = [other[j], other[i]]
    }
  }
  return other
}

/** Ids of items with those of the others that they were swapped with. */
export function namedSwaps(ids: string[], other: Uint32Array): [string, string][] {
  return Array.from(other, (from, i) => [ids[i], ids[from]])
}

/** The rows of other items, in the items' order. */
export function swappedRows(images: Rows, other: Uint32Array, perItem = 1): Rows {
  const { dimension, values } = images
  const size = dimension * perItem
  const swapped = new Float32Array(values.length)
  other.forEach((from, i) => swapped.set(values.subarray(from * size, (from + 1) * size), i * size))
  return { dimension, values: swapped }
}

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
