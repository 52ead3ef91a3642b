import { random } from '../statistics/statistics.js'

/**
 * Cohen's d of differences at the places of a draw: their mean over their standard deviation (n - 1); 0 where
 * they are all the same.
 */
export function cohensD(differences: Float64Array): (draw: Uint32Array) => number {
  return (draw) => {
    let mean = 0
    for (const i of draw) mean += differences[i] / draw.length
    let square = 0
    for (const i of draw) square += (differences[i] - mean) ** 2
    const deviation = Math.sqrt(square / (draw.length - 1))
    return deviation > TINY ? mean / deviation : 0
  }
}

/** Deviation of cosines that is rounding. */
const TINY = 1e-12

/**
 * WEAT's effect size at the places of a draw (Caliskan et al. 2017): how much more the first targets are
 * associated with the first attributes than the second targets are, in standard deviations of all.
 * `associations` holds the first targets' then the second's, each a target's mean cosine with the first
 * attributes minus that with the second.
 */
export function weatEffect(associations: Float64Array, firstTargets: number): (draw: Uint32Array) => number {
  return (draw) => {
    const sums = [0, 0]
    const counts = [0, 0]
    for (const i of draw) {
      sums[Number(i >= firstTargets)] += associations[i]
      counts[Number(i >= firstTargets)]++
    }
    const mean = (sums[0] + sums[1]) / draw.length
    let square = 0
    for (const i of draw) square += (associations[i] - mean) ** 2
    const deviation = Math.sqrt(square / (draw.length - 1))
    return deviation > TINY && counts[0] > 0 && counts[1] > 0
      ? (sums[0] / counts[0] - sums[1] / counts[1]) / deviation
      : 0
  }
}

/** Two-sided p of a WEAT effect: how often the targets, parted at random, differ as much. */
export function weatP(
  associations: Float64Array,
  firstTargets: number,
  { seed, resamples }: { seed: number; resamples: number }
): number {
  const { shuffle } = random(seed)
  const gap = (values: number[]) =>
    Math.abs(
      values.slice(0, firstTargets).reduce((a, b) => a + b, 0) / firstTargets -
        values.slice(firstTargets).reduce((a, b) => a + b, 0) / (values.length - firstTargets)
    )
  const seen = gap([...associations])
  let asLarge = 0
  for (let i = 0; i < resamples; i++) if (gap(shuffle([...associations])) >= seen - TINY) asLarge++
  return (asLarge + 1) / (resamples + 1)
}
