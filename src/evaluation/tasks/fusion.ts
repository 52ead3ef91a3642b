import { recallAt } from '../statistics/query-ranks.js'
import type { Curve, Figure, Flag, Plot, TaskResult } from '../report.js'
import { bootstrapMean, figure, mean, pairedTest, type SamplingOptions } from '../statistics/statistics.js'
import type { Task, TaskOptions } from './task.js'
import {
  FUSED,
  FUSION_NAMES,
  type FusionInput,
  type FusionName,
  type FusionRun,
  type Held,
  heldWhere,
  prepareFusion,
  standings,
  type Standings
} from './fusion-ranks.js'

/** The parts of the records that lack one modality. */
const MISSING = [0, 0.3, 0.6]
const IMAGE_WEIGHTS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
const EVEN = 0.5
/** Records of which a report names those that lack a modality. */
const MOST_LISTED = 10_000
const KS = [1, 5, 10]
const RUNS: FusionRun[] = [
  { name: 'image', imageWeight: 1 },
  { name: 'text', imageWeight: 0 },
  ...FUSED.flatMap((name) => IMAGE_WEIGHTS.map((imageWeight) => ({ name, imageWeight })))
]

/** What one run did where a part of the records lacks a modality: the values of its queries, by measure. */
type Measures = Record<string, Float64Array>

/** One part of the records that lack a modality. */
interface Level {
  part: number
  held: Held
  /** By run, in the order of RUNS. */
  measures: Measures[]
}

/**
 * Whether searching records by image and text finds them better than by one of them, by each method of
 * fusion.
 */
export const fusionTask: Task<FusionInput> = {
  name: 'fusion',
  kinds: ['captions'],
  prepare: prepareFusion,
  measure: (input, options) => {
    if (input.targets.length === 0) return nothingToAsk()
    const sampling = { ...options, clusters: input.targets }
    const levels = levelsOf(input, options)
    const figures: Record<string, Figure> = {}
    const perItem: Record<string, Float64Array> = {}
    for (const level of levels) {
      for (const name of FUSION_NAMES) {
        for (const [measure, values] of Object.entries(measuresOf(level, name))) {
          figures[`${groupOf(name, level)}.${measure}`] = figure(values, {
            ...sampling,
            chance: chanceOf(measure, input.ids.length)
          })
          if (measure === 'recall@10') perItem[`${groupOf(name, level)}.${measure}`] = values
        }
        if (level.part > 0) Object.assign(figures, byWhatIsHeld(input, { level, name, options }))
      }
    }
    return {
      report: {
        task: 'fusion',
        figures,
        plots: levels.map((level) => plotOf(level, sampling)),
        flags: levels.map((level) => bestOf(level, sampling)),
        method: method(input, options),
        details: detailsOf(input, levels)
      },
      perItem,
      clusters: Object.fromEntries(Object.keys(perItem).map((name) => [name, input.targets]))
    }
  }
}

function nothingToAsk(): TaskResult {
  const flag: Flag = {
    level: 'note',
    code: 'fusion_not_measured',
    message:
      'No image has a second caption: the first is the text of its record, the others would be the queries.'
  }
  return { report: { task: 'fusion', figures: {}, flags: [flag], method: [] }, perItem: {} }
}

function levelsOf(input: FusionInput, { seed }: TaskOptions): Level[] {
  const helds = MISSING.map((part) => heldWhere(part, { ids: input.ids, seed }))
  return standings(input, RUNS, helds).map((found, i) => ({
    part: MISSING[i],
    held: helds[i],
    measures: found.map(measured)
  }))
}

/** Expectations over the order of what ties; a record that is no match is never found. */
function measured({ ahead, tied }: Standings): Measures {
  const recall = (k: number) =>
    ahead.map((before, i) =>
      Number.isNaN(before) ? 0 : recallAt(k, { ahead: before, tiedWrong: tied[i], tiedRight: 1 })
    )
  const reciprocal = ahead.map((before, i) => {
    let sum = 0
    for (let place = before + 1; place <= before + 1 + tied[i]; place++) sum += 1 / place
    return Number.isNaN(before) ? 0 : sum / (tied[i] + 1)
  })
  return { ...Object.fromEntries(KS.map((k) => [`recall@${k}`, recall(k)])), mrr: reciprocal }
}

function measuresOf({ measures }: Level, name: FusionName): Measures {
  return measures[
    RUNS.findIndex(
      (run) => run.name === name && (run.imageWeight === EVEN || name === 'image' || name === 'text')
    )
  ]
}

function groupOf(name: string, { part }: Level): string {
  return part === 0 ? `fusion[${name}]` : `fusion[${name}, ${percent(part)} missing]`
}

function percent(part: number): string {
  return `${Math.round(100 * part)} %`
}

function chanceOf(measure: string, records: number): number {
  if (measure === 'mrr')
    return (
      Array.from({ length: records }, (_, i) => 1 / (i + 1)).reduce((sum, value) => sum + value, 0) / records
    )
  return Math.min(1, Number(measure.split('@')[1]) / records)
}

/**
 * recall@10 of the queries whose record holds both, the image alone, or the text alone: a fair fusion finds
 * each about as often as its modality can.
 */
function byWhatIsHeld(
  { targets }: FusionInput,
  { level, name, options }: { level: Level; name: FusionName; options: TaskOptions }
): Record<string, Figure> {
  const { image, text } = level.held
  const kinds: Record<string, (record: number) => boolean> = {
    both: (record) => !!image[record] && !!text[record],
    'image only': (record) => !text[record],
    'text only': (record) => !image[record]
  }
  const values = measuresOf(level, name)['recall@10']
  return Object.fromEntries(
    Object.entries(kinds).flatMap(([kind, holds]) => {
      const queries = targets.map((_, i) => i).filter((i) => holds(targets[i]))
      if (queries.length === 0) return []
      return [
        [
          `${groupOf(`${name}, of ${kind}`, level)}.recall@10`,
          figure(
            Float64Array.from(queries, (i) => values[i]),
            { ...options, clusters: queries.map((i) => targets[i]) }
          )
        ]
      ]
    })
  )
}

function plotOf(level: Level, options: SamplingOptions): Plot {
  const point = (run: FusionRun) => {
    const { value, low, high } = bootstrapMean(level.measures[RUNS.indexOf(run)]['recall@10'], options)
    return { x: run.imageWeight, y: value, low, high }
  }
  const curve = (name: FusionName): Curve => ({
    name,
    points: RUNS.filter((run) => run.name === name || run.name === 'image' || run.name === 'text')
      .map(point)
      .sort((a, b) => a.x - b.x)
  })
  return {
    title: `Records found by image and text, ${percent(level.part)} of them without one of the two`,
    x: 'weight of the image (the text has the rest of 1)',
    y: 'recall@10',
    curves: FUSED.map(curve)
  }
}

function bestOf(level: Level, options: SamplingOptions): Flag {
  const [best, second] = FUSION_NAMES.map((name) => ({ name, values: measuresOf(level, name).mrr })).sort(
    (a, b) => mean(b.values) - mean(a.values)
  )
  const { difference, p } = pairedTest(second.values, best.values, options)
  const [value, low, high] = [difference.value, difference.low, difference.high].map((number) =>
    number.toFixed(3)
  )
  return {
    level: 'note',
    code: 'best_fusion',
    message:
      `Where ${percent(level.part)} of the records lack one modality, ${best.name} finds them ` +
      `best (mean reciprocal rank ${mean(best.values).toFixed(3)}), before ${second.name} ` +
      `(${mean(second.values).toFixed(3)}): a difference of ${value} [${low}, ${high}], p = ` +
      `${p.toFixed(3)} in the paired test, which is not corrected for choosing the two.`
  }
}

/**
 * Which records lack what, and how many of the records and of the queries were drawn; of more records than
 * can be listed how many lack it.
 */
function detailsOf({ ids, of, targets, available }: FusionInput, levels: Level[]): Record<string, unknown> {
  const missing = levels.map(({ part, held }) => [
    percent(part),
    ids.length <= MOST_LISTED ? lacking(held, ids) : countLacking(held)
  ])
  return {
    missing: Object.fromEntries(missing),
    ...(ids.length < of && { records: [ids.length, of] }),
    ...(targets.length < available && { queries: [targets.length, available] })
  }
}

function countLacking({ image, text }: Held): { image: number; text: number } {
  const [images, texts] = [image, text].map((held) => held.reduce((count, is) => count - is, held.length))
  return { image: images, text: texts }
}

function lacking({ image, text }: Held, ids: string[]): { image: string[]; text: string[] } {
  return { image: ids.filter((_, i) => !image[i]), text: ids.filter((_, i) => !text[i]) }
}

function method({ ids, of, merged, targets, available }: FusionInput, { resamples }: TaskOptions): string[] {
  const copies =
    merged > 0
      ? ` Images of the same bytes are one record (${merged} more of them), with the captions of all.`
      : ''
  return [
    `${ids.length}${ids.length < of ? ` of ${of}` : ''} records of an image and its first ` +
      `caption${ids.length < of ? ', drawn by the seed' : ''}; ` +
      `${targets.length}${targets.length < available ? ` of ${available}` : ''} other captions are the ` +
      `queries${targets.length < available ? ', drawn by the seed' : ''}, each for its own ` +
      `record.${copies}`,
    'image and text: by the cosine of that modality alone. weighted: the mean of both cosines. ' +
      'weighted z-score: the mean of both as standard scores over all records. rrf: reciprocal ranks, 60 ' +
      'added (Cormack et al. 2009). joint: the cosine with the normalised sum of both embeddings. Both ' +
      'modalities weigh alike in the figures; plots are over the weight.',
    'A record that lacks a modality is judged by the one that it has. Which records lack which is ' +
      'drawn by the seed, image and text by turns; the details name them, or where they are many their ' +
      'numbers.',
    'Records that score the same are in random order, and measures are expectations over it. Intervals ' +
      `are percentile bootstrap of ${resamples} samples; the queries of one record are drawn together.`
  ]
}
