import type { Comparison, Figure, TaskResult } from '../report.js'
import type { TaskOptions } from '../tasks/task.js'
import {
  ascending,
  groupsOf,
  pairedTest,
  percentiles,
  random,
  type SamplingOptions,
  weightedMedian
} from './statistics.js'

/** What two models did on the same items of one task. */
export interface Compared {
  first: TaskResult
  second: TaskResult
  options: Pick<TaskOptions, 'seed' | 'resamples' | 'confidence'>
}

/** The figures that both models have a value an item of, each with its paired test. */
export function compareModels({ first, second, options }: Compared): Comparison[] {
  return Object.entries(first.perItem).flatMap(([figure, values]) => {
    const others = second.perItem[figure]
    if (others?.length !== values.length || values.length === 0) return []
    const { seed, resamples, confidence } = options
    const test = isMedian(figure) ? pairedMedianTest : pairedTest
    const { difference, p } = test(values, others, {
      seed,
      resamples,
      confidence,
      clusters: first.clusters?.[figure]
    })
    return {
      task: first.report.task,
      figure,
      first: valueOf(first, figure),
      second: valueOf(second, figure),
      difference,
      p
    }
  })
}

function valueOf({ report, perItem }: TaskResult, figure: string): number {
  return (
    report.figures[figure]?.value ??
    perItem[figure].reduce((sum, value) => sum + value, 0) / perItem[figure].length
  )
}

/** Whether a figure is the median of its items, where others are their mean. */
function isMedian(figure: string): boolean {
  return /\.median_\w+$/.test(figure)
}

/**
 * What the median of second has over that of first on the same items, with its paired bootstrap interval, and
 * the two-sided p of the permutation test that swaps the two models' values of a cluster; p = (1 + as
 * extreme) / (1 + permutations). Values are sorted once: of a draw, or of a swap, the median is where half of
 * the weights are passed.
 */
export function pairedMedianTest(
  first: Float64Array,
  second: Float64Array,
  options: SamplingOptions
): { difference: Figure; p: number } {
  const { resamples, seed, confidence } = options
  const { groupOf, groups } = groupsOf(first.length, options)
  const orders = [first, second].map(ascending)
  const weights = new Uint32Array(groups).fill(1)
  const difference = () => {
    const [one, other] = [first, second].map((values, i) =>
      weightedMedian(values, orders[i], (item) => weights[groupOf[item]])
    )
    return other - one
  }
  const value = difference()
  const draw = random(seed)
  const differences = Float64Array.from({ length: resamples }, () => {
    weights.fill(0)
    for (let i = 0; i < groups; i++) weights[draw.int(groups)]++
    return difference()
  })
  return {
    difference: { value, ...percentiles(differences, confidence), items: first.length },
    p: (1 + extremes(first, second, { ...options, least: Math.abs(value) })) / (1 + resamples)
  }
}

/** How many random swaps set the medians as far apart as `least`. */
function extremes(
  first: Float64Array,
  second: Float64Array,
  { least, ...options }: SamplingOptions & { least: number }
): number {
  const { groupOf, groups } = groupsOf(first.length, options)
  const both = new Float64Array(2 * first.length)
  both.set(first)
  both.set(second, first.length)
  const order = ascending(both)
  const isSwapped = new Uint8Array(groups)
  const { uniform } = random(options.seed)
  const medianOf = (side: number) =>
    weightedMedian(both, order, (at) =>
      Number(
        (at < first.length ? isSwapped[groupOf[at]] : 1 - isSwapped[groupOf[at - first.length]]) === side
      )
    )
  let extreme = 0
  for (let permutation = 0; permutation < options.resamples; permutation++) {
    for (let group = 0; group < groups; group++) isSwapped[group] = Number(uniform() < 0.5)
    if (Math.abs(medianOf(1) - medianOf(0)) >= least) extreme++
  }
  return extreme
}
