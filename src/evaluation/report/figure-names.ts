import type { DatasetReport, Figure, Flag, Report, TaskName } from '../report.js'

const WORDS: [RegExp, string][] = [
  [/\bmap\b/g, 'mAP'],
  [/\bmrr\b/g, 'mean reciprocal rank (MRR)'],
  [/\bece\b/g, 'calibration error (ECE)'],
  [/\bauroc\b/g, 'AUROC'],
  [/\bjpeg\b/gi, 'JPEG'],
  [/\bhnsw\b/gi, 'HNSW'],
  [/\brrf\b/gi, 'RRF'],
  [/\btop(\d+)\b/g, 'top-$1'],
  [/\bzero shot\b/gi, 'zero-shot'],
  [/\bfew shot\b/gi, 'few-shot'],
  [/\bmean per class\b/g, 'mean accuracy per class']
]

/** How each task is called, and the question that it answers. */
export const TASK_WORDS: Record<TaskName, { title: string; question: string }> = {
  retrieval: { title: 'Retrieval', question: 'Does a caption find its image, and an image its captions?' },
  'zero-shot': {
    title: 'Zero-shot classification',
    question: 'Is the class of an image told by the names of the classes alone?'
  },
  'few-shot': {
    title: 'Few-shot classification',
    question: 'How many labelled examples make a classifier better than the names of the classes?'
  },
  compositionality: {
    title: 'Compositionality',
    question:
      'Are captions told apart that use the same words in another arrangement, or that are only ' +
      'slightly wrong?'
  },
  'word-order': {
    title: 'Word order',
    question: 'Does a caption fit its image better than its own words shuffled?'
  },
  blind: {
    title: 'Blind baselines',
    question:
      'How well does it do without looking at the right image? What is right then is right for the ' +
      'wrong reason.'
  },
  robustness: {
    title: 'Robustness',
    question: 'How much is lost when images are compressed, blurred, turned or without colour?'
  },
  bias: {
    title: 'Bias',
    question: 'Do prompts that differ by a group of people alone fit images differently?'
  },
  fusion: { title: 'Fusion', question: 'Does it help to search by image and text together?' }
}

export interface NameParts {
  group: string
  measure: string
}

/** A figure's name in words: `text_to_image.recall@5` is Text to image, recall@5. */
export function nameParts(name: string): NameParts {
  const dot = name.lastIndexOf('.')
  const group = dot === -1 ? '' : name.slice(0, dot)
  const [, before, variant] = /^(.*?)(?:\[(.*)\])?$/s.exec(group) as unknown as [
    string,
    string,
    string | undefined
  ]
  const words = spoken(before)
  const aside = variant === undefined ? '' : ` (${variant.replaceAll('_', ' ')})`
  return {
    group: `${words.charAt(0).toUpperCase()}${words.slice(1)}${aside}`,
    measure: spoken(name.slice(dot + 1))
  }
}

/** As `nameParts`, in one line. */
export function spokenName(name: string): string {
  const { group, measure } = nameParts(name)
  return group === '' ? measure : `${group}: ${measure}`
}

/** A name that is made for programs, in words. */
export function spoken(part: string): string {
  return WORDS.reduce((text, [pattern, words]) => text.replaceAll(pattern, words), part.replaceAll('_', ' '))
}

/** What is evaluated. */
export function reportTitle(report: Pick<Report, 'models' | 'datasets'>): string {
  return `Evaluation of ${listed(modelNames(report)) || 'nothing'}`
}

/**
 * The names under which results stand: of the models that were run, then what else datasets name, as
 * embeddings that were made before.
 */
export function modelNames({ models, datasets }: Pick<Report, 'models' | 'datasets'>): string[] {
  return [
    ...new Set([
      ...models.map(({ name }) => name),
      ...datasets.flatMap(({ results }) => results.map(({ model }) => model))
    ])
  ]
}

/** How large a dataset is, and what could not be used of it. */
export function countsText({
  format,
  kind,
  counts
}: Pick<DatasetReport, 'format' | 'kind' | 'counts'>): string {
  const { images, captions, labels, faults, duplicateImages, duplicateCaptions, items } = counts
  const parts = [
    format === kind ? format : `${format}, ${kind}`,
    counted(items, 'item'),
    counted(images, 'image'),
    captions > 0 && counted(captions, 'caption'),
    labels > 0 && counted(labels, 'label'),
    duplicateImages > 0 && counted(duplicateImages, 'duplicate image'),
    duplicateCaptions > 0 && counted(duplicateCaptions, 'duplicate caption'),
    faults > 0 && `${counted(faults, 'item')} that could not be read`
  ]
  return parts.filter((part) => part !== false).join(' · ')
}

/** A model's name without its owner, unless another one is called the same. */
export function shortName(model: string, { models }: Pick<Report, 'models'>): string {
  const last = (name: string) => name.slice(name.lastIndexOf('/') + 1)
  return models.filter(({ name }) => last(name) === last(model)).length > 1 ? model : last(model)
}

export function levelText(level: Flag['level']): string {
  return level === 'warning' ? 'Warning' : 'Note'
}

/** A, B and C. */
export function listed(names: string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}`
}

function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`
}

/** What a figure is counted in: shares are written in per cent. */
type Unit = 'share' | 'rank' | 'number'

const RANK = /rank$/
/** Measured in cosines, in standard deviations and the like. */
const NUMBER = /effect|cosine|similarit|margin|distance|score|logit|log_loss|brier|seconds|count|weight$/
/** Shares elsewhere, numbers in these tasks. */
const NUMBER_OF_TASK = /^(word_order|blind)\b.*\.drop$|^bias\b.*\.difference$/

/** The unit of a figure or an axis, by its name. */
export function unitOf(name: string): Unit {
  const named = name.replace(/\[.*\]/s, '').toLowerCase()
  if (RANK.test(named)) return 'rank'
  return NUMBER.test(named) || NUMBER_OF_TASK.test(named) ? 'number' : 'share'
}

/** A value of the named figure: 65.2 %, 3, 0.412. */
export function valueText(name: string, value: number): string {
  const unit = unitOf(name)
  return unit === 'share' ? `${percent(value)} %` : plain(unit, value)
}

/** Its confidence interval, in the unit of the value: [61.8, 68.6]. */
export function intervalText(name: string, { low, high }: Pick<Figure, 'low' | 'high'>): string {
  const unit = unitOf(name)
  const ends = [low, high].map((end) => (unit === 'share' ? percent(end) : plain(unit, end)))
  return `[${ends.join(', ')}]`
}

/** A difference of two values of the named figure, with its sign; shares differ by percentage points. */
export function differenceText(name: string, difference: number): string {
  const unit = unitOf(name)
  const text = unit === 'share' ? `${percent(difference)} pp` : plain(unit, difference)
  return difference > 0 ? `+${text}` : text
}

/** A p value; small ones by their bound, since a permutation test can't tell them apart. */
export function pText(p: number): string {
  return p < 0.001 ? '<0.001' : p.toFixed(3)
}

/** Share as per cent with one decimal; zero has no sign. */
function percent(share: number): string {
  return unsigned((share * 100).toFixed(1))
}

function plain(unit: Unit, value: number): string {
  if (unit === 'rank') return unsigned(Number.isInteger(value) ? String(value) : value.toFixed(1))
  return unsigned(Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(3))
}

function unsigned(text: string): string {
  return /^-[0.]+$/.test(text) ? text.slice(1) : text
}

/** Figures up to which all of a task's are shown at once. */
const FEW = 20
/** Most of those that are shown first where there are more. */
const MOST = 24

/**
 * A label's, or that of queries for records of one kind: `bias[gender: he]`, `fusion[joint, of text only]`.
 */
const PART_OF_VARIANT = /\[[^\]]*(: |, of )/

/**
 * The figures of a task that are shown first: all where they are few; else those without a variant in
 * brackets, and the first of each variant.
 */
export function mainFigures(names: string[]): string[] {
  if (names.length <= FEW) return names
  const seen = new Set<string>()
  const firsts = names.filter((name) => {
    const group = name.slice(0, name.lastIndexOf('.'))
    const isFirst = !name.includes('[') || !seen.has(group)
    seen.add(group)
    return isFirst
  })
  return firsts.length <= MOST ? firsts : firsts.filter((name) => !PART_OF_VARIANT.test(name)).slice(0, MOST)
}
