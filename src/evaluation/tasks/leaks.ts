import { DATASET_LEAKS, type Flag } from '../report.js'
import { bootstrapMean, mean } from '../statistics/statistics.js'
import type { TaskOptions } from './task.js'
import type { Blinded, BlindRun } from './blinded.js'

/**
 * What a blind run must be above chance by, at the lower end of its interval: less makes no conclusion from
 * sighted scores wrong.
 */
export const LEAK_MARGIN = 0.05
/**
 * Part of the sighted score's distance above chance that a blind run must reach: then most of what seems seen
 * needs no seeing.
 */
export const LEAK_SHARE = 0.5
/** With fewer items, intervals by resampling are too narrow to accuse a dataset. */
export const LEAK_LEAST_ITEMS = 20

/** A measure of a run that does well, where it does best. */
interface Leak {
  what: string
  measure: string
  value: number
  low: number
  high: number
  chance: number
  sighted: number
}

/**
 * A warning where a blind run does well on a dataset, so that a good score there shows no understanding of
 * images (the lesson of VQA's first version, Goyal et al. 2017). A run does well where the lower end of its
 * interval is above chance by LEAK_MARGIN, and it reaches LEAK_SHARE of what the sighted run has above
 * chance. The intervals are widened for the number of looks (Bonferroni), so that on an honest dataset a
 * false alarm is as rare as one interval's miss.
 */
export function leaksOf({ sighted, runs }: Blinded, options: TaskOptions): Flag[] {
  const looks = runs.reduce((sum, { values }) => sum + Object.keys(values).length, 0)
  const confidence = 1 - (1 - options.confidence) / looks
  const leaks = runs
    .flatMap((run) => bestLeak(run, sighted, { ...options, confidence }) ?? [])
    .sort((a, b) => b.value - b.chance - (a.value - a.chance))
  return leaks.length > 0 ? [{ level: 'warning', code: DATASET_LEAKS, message: messageOf(leaks) }] : []
}

/** The measure that a run does best in, of those that it does well in. */
function bestLeak(run: BlindRun, sighted: Blinded['sighted'], options: TaskOptions): Leak | undefined {
  const leaks = Object.keys(run.values).flatMap(
    (measure) => leakOf(run, { measure, sighted: sighted[measure], options }) ?? []
  )
  return leaks.sort((a, b) => b.value - b.chance - (a.value - a.chance))[0]
}

interface Look {
  measure: string
  sighted: Blinded['sighted'][string]
  options: TaskOptions
}

function leakOf(run: BlindRun, { measure, sighted, options }: Look): Leak | undefined {
  const values = run.values[measure]
  const chance = run.chance ?? sighted.chance
  if (values.length < LEAK_LEAST_ITEMS) return undefined
  // The ends of a wide interval need more samples than its middle.
  const resamples = Math.max(options.resamples, Math.ceil(40 / (1 - options.confidence)))
  const interval = bootstrapMean(values, {
    ...options,
    resamples,
    clusters: sighted.clusters?.length === values.length ? sighted.clusters : undefined
  })
  const seen = mean(sighted.values)
  const leaks = interval.low > chance + LEAK_MARGIN && interval.value - chance >= LEAK_SHARE * (seen - chance)
  return leaks ? { what: run.what, measure, ...interval, chance, sighted: seen } : undefined
}

function messageOf([{ what, measure, value, low, high, chance, sighted }, ...others]: Leak[]): string {
  const percent = (part: number) => `${(100 * part).toFixed(1)} %`
  const other = (leak: Leak) => {
    const where = leak.measure === measure ? '' : ` in ${leak.measure}`
    return `${leak.what} (${percent(leak.value)}${where})`
  }
  const also = others.length > 0 ? ` Also ${others.map(other).join(' and ')}.` : ''
  return (
    `Much of this dataset can be answered without looking at its images: ${what} reaches ` +
    `${percent(value)} (${percent(low)} to ${percent(high)}, widened for the number of looks) in ` +
    `${measure}, where guessing gives ${percent(chance)} and the model with the images ` +
    `${percent(sighted)}.${also} A good score here is no proof that the model sees.`
  )
}
