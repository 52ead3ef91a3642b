import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import type { Figure } from '../report.js'

export interface SamplingOptions {
  seed: number
  /** Bootstrap samples, and permutations. */
  resamples: number
  /** Of the intervals, as 0.95. */
  confidence: number
  /**
   * Of each item, which items are drawn together: those of one number, as the captions of one image. Each by
   * itself by default.
   */
  clusters?: Uint32Array
}

export type Interval = Pick<Figure, 'value' | 'low' | 'high'>

/** A generator of numbers that are the same for the same seed. */
export interface Random {
  /** 0 to max - 1. */
  int(max: number): number
  /** 0 to below 1. */
  uniform(): number
  /** In place. */
  shuffle<T extends unknown[] | Uint32Array>(list: T): T
}

/**
 * More clusters than this are drawn in as many random groups: the variance that their sums have is the same,
 * at a bounded cost.
 */
const MAX_GROUPS = 10_000

/** Starts a generator (xoroshiro128+). */
export function random(seed: number): Random {
  const generator = xoroshiro128plus(seed | 0)
  const int = (max: number) => uniformInt(generator, 0, max - 1)
  return {
    int,
    uniform: () => uniformFloat64(generator),
    shuffle: (list) => {
      for (let i = list.length - 1; i > 0; i--) {
        const j = int(i + 1)
        ;[list[i], list[j]] = [list[j], list[i]]
      }
      return list
    }
  }
}

/**
 * The mean with its percentile bootstrap interval (Efron and Tibshirani 1993, chapter 13): clusters are drawn
 * with replacement, all of their items with them. Of no items all is NaN.
 */
export function bootstrapMean(values: Float64Array, options: SamplingOptions): Interval {
  return bootstrapMeans([values], options)[0]
}

/**
 * `bootstrapMean` of several measures of the same items, drawn once for all of them: drawing is what takes
 * the time.
 */
export function bootstrapMeans(measures: Float64Array[], options: SamplingOptions): Interval[] {
  const groups = groupsOf(measures[0].length, options)
  const each = measures.map((values) => groupSums(values, groups))
  const { counts } = each[0]
  const width = measures.length
  // The sums of a group side by side: [group, measure].
  const sums = Float64Array.from(
    { length: counts.length * width },
    (_, at) => each[at % width].sums[Math.floor(at / width)]
  )
  const means = measures.map(() => new Float64Array(options.resamples))
  const draw = random(options.seed)
  const drawn = new Float64Array(width)
  for (let sample = 0; sample < options.resamples; sample++) {
    drawn.fill(0)
    let count = 0
    for (let i = 0; i < counts.length; i++) {
      const group = draw.int(counts.length)
      count += counts[group]
      for (let measure = 0; measure < width; measure++) drawn[measure] += sums[group * width + measure]
    }
    for (let measure = 0; measure < width; measure++) means[measure][sample] = drawn[measure] / count
  }
  return measures.map((values, measure) => ({
    value: mean(values),
    ...percentiles(means[measure], options.confidence)
  }))
}

/**
 * The median (of an even number of items the mean of the middle two) with its percentile bootstrap interval.
 */
export function bootstrapMedian(values: Float64Array, options: SamplingOptions): Interval {
  const { groupOf, groups } = groupsOf(values.length, options)
  const order = ascending(values)
  const draw = random(options.seed)
  const weights = new Uint32Array(groups)
  const median = () => weightedMedian(values, order, (item) => weights[groupOf[item]])
  const medians = Float64Array.from({ length: options.resamples }, () => {
    weights.fill(0)
    for (let i = 0; i < groups; i++) weights[draw.int(groups)]++
    return median()
  })
  weights.fill(1)
  return { value: median(), ...percentiles(medians, options.confidence) }
}

/** The places of values in the order of the values. */
export function ascending(values: Float64Array): Uint32Array {
  return Uint32Array.from(values.keys()).sort((a, b) => values[a] - values[b])
}

/**
 * The median of values that are there as often as their weights say, whose order is known; of an even number
 * the mean of the middle two.
 */
export function weightedMedian(
  values: Float64Array,
  order: Uint32Array,
  weightOf: (item: number) => number
): number {
  let total = 0
  for (let item = 0; item < values.length; item++) total += weightOf(item)
  let [seen, lower] = [0, NaN]
  for (const item of order) {
    if ((seen += weightOf(item)) * 2 < total) continue
    if (Number.isNaN(lower)) lower = values[item]
    if (seen * 2 > total) return (lower + values[item]) / 2
  }
  return lower
}

/**
 * Any statistic of n items with its percentile bootstrap interval. It is given the numbers of the items that
 * are drawn, some of them several times; its value is that of all items.
 */
export function bootstrap(
  n: number,
  statistic: (draw: Uint32Array) => number,
  options: SamplingOptions
): Interval {
  const members = membersOf(n, options.clusters)
  const draw = random(options.seed)
  const buffer = new Uint32Array(
    members.reduce((most, { length }) => Math.max(most, length), 0) * members.length
  )
  const values = Float64Array.from({ length: options.resamples }, () => {
    let length = 0
    for (let i = 0; i < members.length; i++)
      for (const item of members[draw.int(members.length)]) buffer[length++] = item
    return statistic(buffer.subarray(0, length))
  })
  return {
    value: statistic(Uint32Array.from({ length: n }, (_, i) => i)),
    ...percentiles(values, options.confidence)
  }
}

/** The mean of the items' values as a figure. */
export function figure(
  values: Float64Array,
  { chance, ...options }: SamplingOptions & { chance?: number }
): Figure {
  return { ...bootstrapMean(values, options), items: values.length, ...(chance !== undefined && { chance }) }
}

/**
 * What second has over first on the same items: the mean difference with its paired bootstrap interval, and
 * the two-sided p of the permutation test that flips the signs of the clusters' differences, as they would be
 * as likely if the two were alike; p = (1 + as extreme) / (1 + permutations) (Davison and Hinkley 1997, 4.2).
 */
export function pairedTest(
  first: Float64Array,
  second: Float64Array,
  options: SamplingOptions
): { difference: Figure; p: number } {
  const differences = second.map((value, i) => value - first[i])
  const { sums } = groupSums(differences, groupsOf(differences.length, options))
  const observed = Math.abs(sums.reduce((sum, value) => sum + value, 0))
  // The same sum in another order differs by rounding.
  const least = observed - 1e-12 * sums.reduce((sum, value) => sum + Math.abs(value), 0)
  const draw = random(options.seed)
  let extreme = 0
  for (let i = 0; i < options.resamples; i++) {
    let sum = 0
    for (const value of sums) sum += draw.uniform() < 0.5 ? value : -value
    if (Math.abs(sum) >= least) extreme++
  }
  return { difference: figure(differences, options), p: (1 + extreme) / (1 + options.resamples) }
}

export function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/**
 * The quantile of sorted values between the nearest two of them (type 7 of Hyndman and Fan 1996, numpy's
 * default).
 */
export function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1)
  const [low, high] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]]
  return low + (at - Math.floor(at)) * (high - low)
}

export function percentiles(values: Float64Array, confidence: number): Omit<Interval, 'value'> {
  values.sort()
  return { low: quantile(values, (1 - confidence) / 2), high: quantile(values, (1 + confidence) / 2) }
}

/**
 * Of each item the group that it is drawn with: its cluster, or several clusters at random where there are
 * many.
 */
export function groupsOf(
  n: number,
  { clusters, seed }: SamplingOptions
): { groupOf: Uint32Array; groups: number } {
  const numbers = new Map<number, number>()
  const clusterOf = clusters
    ? clusters.map(
        (cluster) => numbers.get(cluster) ?? (numbers.set(cluster, numbers.size), numbers.size - 1)
      )
    : Uint32Array.from({ length: n }, (_, i) => i)
  const count = clusters ? numbers.size : n
  if (count <= MAX_GROUPS) return { groupOf: clusterOf, groups: count }
  const group = random(seed).shuffle(Uint32Array.from({ length: count }, (_, i) => i % MAX_GROUPS))
  return { groupOf: clusterOf.map((cluster) => group[cluster]), groups: MAX_GROUPS }
}

function groupSums(
  values: Float64Array,
  { groupOf, groups }: ReturnType<typeof groupsOf>
): { sums: Float64Array; counts: Float64Array } {
  const [sums, counts] = [new Float64Array(groups), new Float64Array(groups)]
  values.forEach((value, i) => {
    sums[groupOf[i]] += value
    counts[groupOf[i]]++
  })
  return { sums, counts }
}

function membersOf(n: number, clusters?: Uint32Array): number[][] {
  if (!clusters) return Array.from({ length: n }, (_, i) => [i])
  const members = new Map<number, number[]>()
  clusters.forEach((cluster, i) =>
    (members.get(cluster) ?? (members.set(cluster, []), members.get(cluster)!)).push(i)
  )
  return [...members.values()]
}

/**
 * At most `most` of the indices below `length`, ascending, drawn without replacement; all where they are no
 * more.
 */
export function sampled(length: number, most: number, seed: number): Uint32Array {
  const indices = Uint32Array.from({ length }, (_, i) => i)
  if (length <= most) return indices
  const { int } = random(seed)
  for (let i = 0; i < most; i++) {
    const other = i + int(length - i)
    ;[indices[i], indices[other]] = [indices[other], indices[i]]
  }
  return indices.slice(0, most).sort()
}
