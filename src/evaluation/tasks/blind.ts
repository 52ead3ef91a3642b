import type { EmbeddedPairs, LoadedDataset } from '../datasets/dataset.js'
import { DATASET_LEAKS, type Figure, type Flag, type TaskResult } from '../report.js'
import { bootstrapMean, figure, mean } from '../statistics/statistics.js'
import { blindCaptions, type BlindCaptionsInput, prepareBlindCaptions } from './blind-captions.js'
import {
  blindChoices,
  type BlindChoicesInput,
  blindPairs,
  type BlindPairsInput,
  prepareBlindChoices,
  prepareBlindPairs
} from './blind-choices.js'
import { blindClasses, type BlindClassesInput, prepareBlindClasses } from './blind-classes.js'
import type { Blinded, BlindRun } from './blinded.js'
import type { Task, TaskContext, TaskOptions } from './task.js'

export type BlindInput = BlindCaptionsInput | BlindClassesInput | BlindPairsInput | BlindChoicesInput

/**
 * A dataset's own task without its images: what can be answered so says nothing of how well a model sees
 * (Goyal et al. 2017).
 */
export const blindTask: Task<BlindInput> = {
  name: 'blind',
  kinds: ['captions', 'classes', 'pairs', 'choices'],
  prepare: (dataset, context) => prepareBlind(dataset, context),
  measure: (input, options) => measureBlind(blindedOf(input, options), options)
}

function prepareBlind(dataset: LoadedDataset | EmbeddedPairs, context: TaskContext): Promise<BlindInput> {
  switch (dataset.kind) {
    case 'captions':
      return prepareBlindCaptions(dataset.items, context)
    case 'classes':
      return prepareBlindClasses(dataset.items, context)
    case 'pairs':
      return prepareBlindPairs(dataset.items, context)
    case 'choices':
      return prepareBlindChoices(dataset.items, context)
    default:
      throw new Error(`Blind baselines need images; ${dataset.name} has only embeddings.`)
  }
}

function blindedOf(input: BlindInput, options: TaskOptions): Blinded {
  switch (input.kind) {
    case 'captions':
      return blindCaptions(input, options)
    case 'classes':
      return blindClasses(input, options)
    case 'pairs':
      return blindPairs(input, options)
    case 'choices':
      return blindChoices(input, options)
  }
}

/** One item alone would get its own images back. */
function measureBlind(all: Blinded, options: TaskOptions): TaskResult {
  const isAlone = all.swapped.length < 2
  const blinded = isAlone
    ? { ...all, runs: all.runs.filter(({ name }) => name !== 'swapped'), swapped: [] }
    : all
  const figures: Record<string, Figure> = {}
  const perItem: Record<string, Float64Array> = {}
  const clusters: Record<string, Uint32Array> = {}
  for (const [measure, { values, chance, clusters: together }] of Object.entries(blinded.sighted)) {
    figures[`blind[sighted].${measure}`] = figure(values, { ...options, chance, clusters: together })
    for (const run of blinded.runs) {
      const name = `blind[${run.name}].${measure}`
      const blind = run.values[measure]
      if (!blind) continue
      const drawn = together?.length === blind.length ? together : undefined
      figures[name] = figure(blind, { ...options, chance: run.chance ?? chance, clusters: drawn })
      perItem[name] = blind
      if (drawn) clusters[name] = drawn
    }
  }
  return {
    report: {
      task: 'blind',
      figures,
      flags: [...(isAlone ? [ALONE] : []), ...leaksOf(blinded, options)],
      method: [...blinded.method, leakMethod],
      details: { swapped: blinded.swapped, ...blinded.details }
    },
    perItem,
    clusters
  }
}

const ALONE: Flag = {
  level: 'note',
  code: 'SWAPPED_LEFT_OUT',
  message:
    'There is one item alone: none has another image to be put in its place, so that swapped was not ' +
    'measured.'
}

/**
 * What a blind run must be above chance by, at the lower end of its interval: less makes no conclusion from
 * sighted scores wrong.
 */
const LEAK_MARGIN = 0.05
/**
 * Part of the sighted score's distance above chance that a blind run must reach: then most of what seems seen
 * needs no seeing.
 */
const LEAK_SHARE = 0.5
/** With fewer items, intervals by resampling are too narrow to accuse a dataset. */
const LEAK_LEAST_ITEMS = 20

const leakMethod =
  `A dataset is said to leak where a blind run's interval, widened for the number of ` +
  `runs and measures, lies above chance by ${LEAK_MARGIN}, and the run reaches ` +
  `${LEAK_SHARE} of what the sighted score has above chance, on ${LEAK_LEAST_ITEMS} ` +
  'items or more (cf. Goyal et al. 2017).'

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
