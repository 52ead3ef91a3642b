import type { Figure } from './report.js'
import { bootstrap, random, type SamplingOptions } from './statistics.js'

/**
 * What the median of second has over that of first on the same items, with its paired bootstrap interval, and the two-sided p
 * of the permutation test that swaps the two models' values of a cluster; p = (1 + as extreme) / (1 + permutations).
 */
export function pairedMedianTest(first: Float64Array, second: Float64Array, options: SamplingOptions): { difference: Figure; p: number } {
  const gather = (values: Float64Array, draw: Uint32Array) => Float64Array.from(draw, (item) => values[item])
  const interval = bootstrap(first.length, (draw) => median(gather(second, draw)) - median(gather(first, draw)), options)
  const least = Math.abs(interval.value)
  const { uniform } = random(options.seed)
  const [one, other] = [first.slice(), second.slice()]
  let extreme = 0
  for (let permutation = 0; permutation < options.resamples; permutation++) {
    const swapped = new Map<number, boolean>()
    for (let i = 0; i < first.length; i++) {
      const cluster = options.clusters?.[i] ?? i
      if (!swapped.has(cluster)) swapped.set(cluster, uniform() < 0.5)
      const [from, to] = swapped.get(cluster) ? [second, first] : [first, second]
      one[i] = from[i]
      other[i] = to[i]
    }
    if (Math.abs(median(other.slice()) - median(one.slice())) >= least) extreme++
  }
  return { difference: { ...interval, items: first.length }, p: (1 + extreme) / (1 + options.resamples) }
}

/** Of an even number of items the mean of the middle two. The values are sorted where they lie. */
function median(values: Float64Array): number {
  values.sort()
  const middle = values.length >> 1
  return values.length % 2 === 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2
}
