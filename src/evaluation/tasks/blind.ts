import type { EmbeddedPairs, LoadedDataset } from '../datasets/dataset.js'
import type { Figure, Flag, TaskResult } from '../report.js'
import { figure } from '../statistics/statistics.js'
import type { Task, TaskContext, TaskOptions } from './task.js'
import { blindCaptions, prepareBlindCaptions, type BlindCaptionsInput } from './blind-captions.js'
import { blindChoices, prepareBlindChoices, type BlindChoicesInput } from './blind-choices.js'
import { blindClasses, prepareBlindClasses, type BlindClassesInput } from './blind-classes.js'
import { blindPairs, prepareBlindPairs, type BlindPairsInput } from './blind-pairs.js'
import type { Blinded } from './blinded.js'
import { LEAK_LEAST_ITEMS, LEAK_MARGIN, LEAK_SHARE, leaksOf } from './leaks.js'

export type BlindInput = BlindCaptionsInput | BlindClassesInput | BlindPairsInput | BlindChoicesInput
export type BlindContext = TaskContext

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

function prepareBlind(dataset: LoadedDataset | EmbeddedPairs, context: BlindContext): Promise<BlindInput> {
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

const leakMethod =
  `A dataset is said to leak where a blind run's interval, widened for the number of ` +
  `runs and measures, lies above chance by ${LEAK_MARGIN}, and the run reaches ` +
  `${LEAK_SHARE} of what the sighted score has above chance, on ${LEAK_LEAST_ITEMS} ` +
  'items or more (cf. Goyal et al. 2017).'
