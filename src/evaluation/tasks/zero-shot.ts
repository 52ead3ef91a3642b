import { meanEmbedding, type Embedding } from '../../encoder/embedding.js'
import type { ZeroShotSettings } from '../../encoder/package-settings.js'
import { fill, resolveTemplates } from '../../encoder/zero-shot.js'
import { rowAt, type Rows } from '../embedding/embedder.js'
import type { Figure, Flag, TaskReport, TaskResult, WorstQuery } from '../report.js'
import { bootstrap, figure, pairedTest, sampled } from '../statistics/statistics.js'
import { labelsAndTruth, type Task, type TaskOptions } from './task.js'
import {
  calibrationError,
  type Classified,
  classifyAll,
  macroAuroc,
  meanPerClass,
  reliabilityPlot
} from './classification.js'

/** The labels of a dataset in the prompts of one set of templates. */
interface PromptSet {
  /** Of its figures: `zero_shot` for the model's default template. */
  group: string
  templates: string[]
  /** `[labels * templates, dimension]`, the templates of a label one after the other. */
  prompts: Rows
}

export interface ZeroShotInput {
  images: Rows
  imageIds: string[]
  labels: string[]
  /** Of each image, the index of its label. */
  truth: Uint32Array
  settings: ZeroShotSettings
  sets: PromptSet[]
  /** Groups of the sets of templates that would make too many prompts. */
  leftOut: string[]
}

type Figures = Record<string, Figure>

/**
 * Comparisons of an image with a label's prompt, for which accuracy without ensembling is measured on all
 * images; beyond, on a sample.
 */
const MAX_COMPARISONS = 4e7
/** Prompts of one ensembled set of templates. */
const MAX_PROMPTS = 100_000
/** Labels of a confusion matrix, which grows with their square. */
const MAX_CONFUSED = 1000
const TOP = 5
const WORST = 12
/** Labels shown of a worst query. */
const SHOWN = 3

/** Zero-shot classification of a dataset with a class for each image (Radford et al. 2021, 3.1). */
export const zeroShotTask: Task<ZeroShotInput> = {
  name: 'zero-shot',
  kinds: ['classes'],
  async prepare(dataset, { embedder, options }) {
    if (dataset.kind !== 'classes')
      throw new Error(`Zero-shot classification needs classes; ${dataset.name} has ${dataset.kind}.`)
    const { labels, truth } = labelsAndTruth(dataset.items)
    const settings = embedder.model.zeroShot
    const sets: PromptSet[] = []
    const leftOut: string[] = []
    for (const [group, templates] of templateSets(options.templates, settings.template)) {
      if (templates.length > 1 && labels.length * templates.length > MAX_PROMPTS) leftOut.push(group)
      else
        sets.push({
          group,
          templates,
          prompts: await embedder.texts(labels.flatMap((label) => fill(templates, label)))
        })
    }
    const images = dataset.items.map(({ image }) => image)
    return {
      images: await embedder.images(images),
      imageIds: images.map(({ id }) => id),
      labels,
      truth,
      settings,
      sets,
      leftOut
    }
  },
  measure: (input, options) => measureZeroShot(input, options)
}

/** The model's own template, each set that is named, and own templates together. Throws TEMPLATE_INVALID. */
function templateSets(named: string[], ownOfModel: string): Map<string, string[]> {
  const sets = new Map([['zero_shot', [ownOfModel]]])
  const own = named.filter((name) => name.includes('{label}'))
  for (const name of named)
    if (!name.includes('{label}')) sets.set(`zero_shot[${name}]`, resolveTemplates(name))
  if (own.length > 0) sets.set('zero_shot[own]', own)
  return sets
}

function measureZeroShot(input: ZeroShotInput, options: TaskOptions): TaskResult {
  const figures: Figures = {}
  const perItem: Record<string, Float64Array> = {}
  const templates = Object.fromEntries(input.sets.map((set) => [set.group, set.templates]))
  const report: TaskReport = {
    task: 'zero-shot',
    figures,
    flags: flagsOf(input),
    method: methodOf(input),
    details: { templates, settings: input.settings }
  }
  for (const set of input.sets) {
    const weights = labelWeights(set)
    const classified = classifyAll(input, weights)
    for (const [name, { of, values }] of Object.entries(
      measureSet(input, classified, { weights, options })
    )) {
      figures[`${set.group}.${name}`] = of
      if (values) perItem[`${set.group}.${name}`] = values
    }
    if (set.templates.length > 1) Object.assign(figures, ensembling(input, set, { classified, options }))
    if (set.group === 'zero_shot')
      Object.assign(report, pictureOf(input, { classified, weights, options }), {
        details: { ...report.details, perClass: accuracies(input, classified, options) }
      })
  }
  return { report, perItem }
}

/** The embedding of each label, made as those of zero-shot requests are. */
function labelWeights({ prompts, templates }: PromptSet): Embedding[] {
  const labels = prompts.values.length / prompts.dimension / templates.length
  return Array.from({ length: labels }, (_, label) =>
    meanEmbedding(templates.map((_, i) => rowAt(prompts, label * templates.length + i)))
  )
}

interface Measured {
  classified: Classified
  weights: Embedding[]
  options: TaskOptions
}

function measureSet(
  { images, labels, truth, settings }: ZeroShotInput,
  classified: Classified,
  { weights, options }: Omit<Measured, 'classified'>
): Record<string, { of: Figure; values?: Float64Array }> {
  const { top1, top5, confidence } = classified
  const items = truth.length
  const chance = 1 / labels.length
  const perClass = meanPerClass(top1, truth, labels.length)
  const measured: Record<string, { of: Figure; values?: Float64Array }> = {
    top1: { of: figure(top1, { ...options, chance }), values: top1 }
  }
  if (labels.length > TOP)
    measured.top5 = { of: figure(top5, { ...options, chance: TOP / labels.length }), values: top5 }
  measured.mean_per_class = {
    of: { ...bootstrap(items, perClass.statistic, options), items, chance },
    values: perClass.values
  }
  if (labels.length > 1) {
    const auroc = macroAuroc(images, { truth, weights, settings, logNormaliser: classified.logNormaliser })
    measured.auroc = { of: clipped(figure(auroc, { ...options, chance: 0.5 })), values: auroc }
  }
  if (settings.logitScale !== undefined)
    measured.ece = { of: { ...bootstrap(items, calibrationError(confidence, top1), options), items } }
  return measured
}

/** An interval by influences can reach beyond what an AUROC can be. */
function clipped(figure: Figure): Figure {
  return { ...figure, low: Math.max(0, figure.low), high: Math.min(1, figure.high) }
}

/** Top-1 with each template alone, over the templates, and what their ensemble has over it. */
function ensembling(
  input: ZeroShotInput,
  { group, templates, prompts }: PromptSet,
  { classified, options }: { classified: Classified; options: TaskOptions }
): Figures {
  const { labels, truth } = input
  const items = sampled(
    truth.length,
    Math.max(1, Math.floor(MAX_COMPARISONS / (labels.length * templates.length))),
    options.seed
  )
  const alone = new Float64Array(items.length)
  for (let t = 0; t < templates.length; t++) {
    const weights = labels.map((_, label) => rowAt(prompts, label * templates.length + t))
    const { top1 } = classifyAll(input, weights, items)
    for (let i = 0; i < items.length; i++) alone[i] += top1[i] / templates.length
  }
  const together = Float64Array.from(items, (i) => classified.top1[i])
  return {
    [`${group}.top1_single_template`]: figure(alone, { ...options, chance: 1 / labels.length }),
    [`${group}.ensembling_gain`]: pairedTest(alone, together, options).difference
  }
}

function pictureOf(input: ZeroShotInput, { classified, weights, options }: Measured): Partial<TaskReport> {
  const { labels, truth, settings } = input
  return {
    ...(labels.length <= MAX_CONFUSED && {
      confusion: { labels, counts: confusionOf(labels, truth, classified) }
    }),
    ...(settings.logitScale !== undefined && {
      plots: [reliabilityPlot(classified.confidence, classified.top1, options)]
    }),
    worst: [{ title: 'The most confident errors', queries: worstOf(input, classified, weights) }]
  }
}

/** How often each label was given for each true one. */
function confusionOf(labels: string[], truth: Uint32Array, { predicted }: Classified): number[][] {
  const counts = labels.map(() => labels.map(() => 0))
  truth.forEach((label, i) => counts[label][predicted[i]]++)
  return counts
}

function accuracies(
  { labels, truth }: ZeroShotInput,
  { top1 }: Classified,
  options: TaskOptions
): (Figure & { label: string })[] {
  return labels.map((label, i) => ({
    label,
    ...figure(
      top1.filter((_, item) => truth[item] === i),
      { ...options, chance: 1 / labels.length }
    )
  }))
}

function worstOf(input: ZeroShotInput, { top1, confidence }: Classified, weights: Embedding[]): WorstQuery[] {
  const { imageIds, labels, truth } = input
  const wrong = imageIds.map((_, i) => i).filter((i) => top1[i] === 0)
  return wrong
    .sort((a, b) => confidence[b] - confidence[a] || a - b)
    .slice(0, WORST)
    .map((i) => {
      const scores = classifyAll(input, weights, Uint32Array.of(i)).scores
      const best = labels.map((_, label) => label).sort((a, b) => scores[b] - scores[a])
      return {
        query: { image: imageIds[i] },
        expected: [{ text: labels[truth[i]] }],
        returned: best
          .slice(0, SHOWN)
          .map((label) => ({ shown: { text: labels[label] }, score: scores[label] })),
        rank: best.indexOf(truth[i]) + 1
      }
    })
}

function flagsOf({ labels, settings, leftOut }: ZeroShotInput): Flag[] {
  const flags: Flag[] = []
  if (labels.length < 2)
    flags.push({
      level: 'warning',
      code: 'ONE_CLASS',
      message: `All images have the label '${labels[0]}': every classifier is right.`
    })
  if (labels.length > MAX_CONFUSED)
    flags.push({
      level: 'note',
      code: 'NO_CONFUSION_MATRIX',
      message:
        `There is no confusion matrix of ${labels.length} labels; it is made of ${MAX_CONFUSED} ` + 'at most.'
    })
  if (leftOut.length > 0)
    flags.push({
      level: 'note',
      code: 'TEMPLATES_LEFT_OUT',
      message:
        `${leftOut.join(', ')} left out: ${labels.length} labels in so many templates are more ` +
        `than ${MAX_PROMPTS} prompts.`
    })
  if (settings.logitScale === undefined)
    flags.push({
      level: 'note',
      code: 'NO_LOGIT_SCALE',
      message:
        "The model's package gives no logit scale (logit_scale in semblance.json), so its scores are " +
        'no probabilities and calibration is not measured.'
    })
  return flags
}

function methodOf({ sets, labels, settings }: ZeroShotInput): string[] {
  const named = sets
    .filter(({ group }) => group !== 'zero_shot')
    .map(({ group, templates }) => `${group} over ${templates.length} templates`)
  const ensembles =
    named.length > 0
      ? `; ${named.join(', ')}; top1_single_template is the mean over the templates used alone, ` +
        'ensembling_gain the paired difference to it'
      : ''
  const bias = settings.logitBias === undefined ? '' : ` and bias ${settings.logitBias}`
  return [
    'Each image is given the label whose embedding has the highest cosine with its own, of ' +
      `${labels.length} labels, which are put into the templates as the dataset spells them; a label's ` +
      `embedding is the normalised mean of its prompts' (Radford et al. 2021, 3.1.4).`,
    `zero_shot uses the model's own template, '${settings.template}'${ensembles}.`,
    'Labels that tie share what is right among them, as a random choice would give.',
    'auroc is the mean over the labels of one against the rest, by the score of the label; its ' +
      "interval is of the items' influences on it (DeLong et al. 1988).",
    ...(settings.logitScale === undefined
      ? []
      : [
          `ece is the expected calibration error of the best label's score (${settings.activation}, ` +
            `the model's logit scale ${settings.logitScale}${bias}) over 15 bins of equal width (Guo et ` +
            'al. 2017); resampling raises it somewhat, so its interval lies high.'
        ])
  ]
}
