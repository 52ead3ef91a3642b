import { cosine } from '../../encoder/embedding.js'
import type { ZeroShotSettings } from '../../encoder/package-settings.js'
import { fill } from '../../encoder/zero-shot.js'
import type {
  CaptionedItem,
  DatasetImage,
  EmbeddedPairs,
  LabelledItem,
  LoadedDataset
} from '../datasets/dataset.js'
import { type Corruption, rowAt, rowCount, type Rows, rowsOf } from '../embedding/embedder.js'
import type { Figure, Plot, TaskResult } from '../report.js'
import { figure, pairedTest, sampled } from '../statistics/statistics.js'
import {
  type CaptionLinks,
  linkCaptions,
  mergeImages,
  recallChance,
  recallShares
} from './captioned-images.js'
import { classifyAll } from './classification.js'
import { labelsAndTruth, type Task, type TaskContext, type TaskOptions } from './task.js'

type Labels =
  | ({ kind: 'captions'; captions: Rows } & CaptionLinks)
  | { kind: 'classes'; prompts: Rows; truth: Uint32Array; settings: ZeroShotSettings }

export interface RobustnessInput {
  images: Rows
  /** Of the same images, by the name of the step. */
  corrupted: Record<string, Rows>
  labels: Labels
  /** How many images the dataset has. */
  of: number
}

/** Each is encoded once for every step of every corruption. */
const MAX_IMAGES = 500
const KS = [1, 5]

/**
 * What is left of retrieval or zero-shot classification when the images are worse (cf. Hendrycks and
 * Dietterich 2019).
 */
export const robustnessTask: Task<RobustnessInput> = {
  name: 'robustness',
  kinds: ['captions', 'classes'],
  async prepare(dataset, context) {
    const { images, labels, of } = await partsOf(dataset, context)
    const { embedder } = context
    const corrupted: Record<string, Rows> = {}
    for (const { name, corruption } of CORRUPTIONS.flatMap(({ steps }) => steps))
      corrupted[name] = await embedder.images(images, corruption)
    return { images: await embedder.images(images), corrupted, labels, of }
  },
  measure: (input, options) => measureRobustness(input, options)
}

interface Parts {
  images: DatasetImage[]
  labels: Labels
  of: number
}

async function partsOf(dataset: LoadedDataset | EmbeddedPairs, context: TaskContext): Promise<Parts> {
  if (dataset.kind === 'captions') return captionParts(dataset.items, context)
  if (dataset.kind === 'classes') return classParts(dataset.items, context)
  throw new Error(`Robustness is measured on captions or classes; ${dataset.name} has ${dataset.kind}.`)
}

async function captionParts(items: CaptionedItem[], context: TaskContext): Promise<Parts> {
  const { embedder, options } = context
  const distinct = await mergeImages(items, context)
  const chosen = Array.from(sampled(distinct.length, MAX_IMAGES, options.seed), (i) => distinct[i])
  const links = linkCaptions(chosen, options.duplicates)
  return {
    images: chosen.map(({ image }) => image),
    labels: { kind: 'captions', ...links, captions: await embedder.texts(links.texts) },
    of: distinct.length
  }
}

async function classParts(items: LabelledItem[], { embedder, options }: TaskContext): Promise<Parts> {
  const places = [...sampled(items.length, MAX_IMAGES, options.seed)]
  const { labels, truth } = labelsAndTruth(items)
  const settings = embedder.model.zeroShot
  const prompts = await embedder.texts(labels.flatMap((label) => fill([settings.template], label)))
  return {
    images: places.map((i) => items[i].image),
    labels: { kind: 'classes', prompts, truth: Uint32Array.from(places, (i) => truth[i]), settings },
    of: items.length
  }
}

type Measures = Record<string, { values: Float64Array; chance: number; clusters?: Uint32Array }>

/** The dataset's own task on images that are, or were, its own. */
function measuresOf(images: Rows, labels: Labels): Measures {
  if (labels.kind === 'classes') {
    const weights = rowsOf(labels.prompts)
    return { top1: { values: classifyAll({ ...labels, images }, weights).top1, chance: 1 / weights.length } }
  }
  const { captions, imagesOf, textsOf } = labels
  const clusters = Uint32Array.from(imagesOf, ([image]) => image)
  const [toImages, toTexts] = [
    recallShares(captions, images, { right: imagesOf, ks: KS }),
    recallShares(images, captions, { right: textsOf, ks: KS })
  ]
  return Object.fromEntries(
    KS.flatMap((k, i) => [
      [
        `text_to_image_recall@${k}`,
        { values: toImages[i], chance: recallChance(images, imagesOf, k), clusters }
      ],
      [`image_to_text_recall@${k}`, { values: toTexts[i], chance: recallChance(captions, textsOf, k) }]
    ])
  )
}

function measureRobustness(
  { images, corrupted, labels, of }: RobustnessInput,
  options: TaskOptions
): TaskResult {
  const clean = measuresOf(images, labels)
  const figures: Record<string, Figure> = {}
  const perItem: Record<string, Float64Array> = {}
  const clusters: Record<string, Uint32Array> = {}
  for (const [name, { values, ...how }] of Object.entries(clean))
    figures[`robustness[clean].${name}`] = figure(values, { ...options, ...how })
  for (const { name: step } of CORRUPTIONS.flatMap(({ steps }) => steps)) {
    const group = `robustness[${step}]`
    for (const [name, { values, ...how }] of Object.entries(measuresOf(corrupted[step], labels))) {
      const before = clean[name].values
      figures[`${group}.${name}`] = figure(values, { ...options, ...how })
      figures[`${group}.${name}_drop`] = pairedTest(values, before, {
        ...options,
        clusters: how.clusters
      }).difference
      perItem[`${group}.${name}_drop`] = before.map((value, i) => value - values[i])
      if (how.clusters) clusters[`${group}.${name}_drop`] = how.clusters
    }
    const cosines = Float64Array.from(rowsOf(images), (row, i) => cosine(row, rowAt(corrupted[step], i)))
    figures[`${group}.cosine`] = figure(cosines, options)
    perItem[`${group}.cosine`] = cosines
  }
  const plots = CORRUPTIONS.flatMap((series) => plotOf(series, Object.keys(clean), figures))
  return {
    report: {
      task: 'robustness',
      figures,
      plots,
      flags: [],
      method: methodOf(rowCount(images), of),
      ...(labels.kind === 'classes' && { details: { template: labels.settings.template } })
    },
    perItem,
    clusters
  }
}

function plotOf(
  { axis, steps }: (typeof CORRUPTIONS)[number],
  measures: string[],
  figures: Record<string, Figure>
): Plot[] {
  if (!axis) return []
  const point = (x: number, { value: y, low, high }: Figure) => ({ x, y, low, high })
  const curves = measures.map((name) => ({
    name,
    points: [
      point(axis.clean, figures[`robustness[clean].${name}`]),
      ...steps.map(({ name: step, severity }) => point(severity, figures[`robustness[${step}].${name}`]))
    ].sort((a, b) => a.x - b.x)
  }))
  return [{ title: axis.title, x: axis.label, y: 'share right', curves }]
}

function methodOf(count: number, of: number): string[] {
  return [
    'The same ' +
      `images${count < of ? ` (${count} of ${of}, drawn at random; retrieval is among these)` : ''} as ` +
      'they are and saved as JPEG of a quality, blurred by a Gaussian whose sigma counts pixels of an ' +
      'image with a shorter side of 224, turned by degrees (the canvas grows, its corners in the mean ' +
      'colour), and in grey.',
    '_drop is what the images as they are have more, paired by item; cosine is the mean cosine of an ' +
      'image and its corrupted self. Captions and labels are the same throughout; labels are in the ' +
      "model's own template."
  ]
}

/** One kind of corruption, from weak to strong. */
interface CorruptionSeries {
  kind: Exclude<Corruption['kind'], 'constant'>
  /** Its axis in a plot, and where the image as it is stands on it. */
  axis?: { title: string; label: string; clean: number }
  steps: { name: string; severity: number; corruption: Corruption }[]
}

const steps = (name: string, severities: number[], corruption: (severity: number) => Corruption) =>
  severities.map((severity) => ({ name: `${name} ${severity}`, severity, corruption: corruption(severity) }))

/** What images meet on their way: saved again and again, blurred, turned, without their colours. */
export const CORRUPTIONS: CorruptionSeries[] = [
  {
    kind: 'jpeg',
    axis: { title: 'JPEG', label: 'quality (100: as it is)', clean: 100 },
    steps: steps('jpeg', [75, 50, 25, 10], (quality) => ({ kind: 'jpeg', quality }))
  },
  {
    kind: 'blur',
    axis: { title: 'Blur', label: 'sigma in pixels of 224', clean: 0 },
    steps: steps('blur', [1, 2, 4], (sigma) => ({ kind: 'blur', sigma }))
  },
  {
    kind: 'rotation',
    axis: { title: 'Rotation', label: 'degrees', clean: 0 },
    steps: steps('rotation', [10, 30, 90, 180], (degrees) => ({ kind: 'rotation', degrees }))
  },
  { kind: 'grey', steps: [{ name: 'grey', severity: 1, corruption: { kind: 'grey' } }] }
]
