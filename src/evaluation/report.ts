import type { DatasetFault, DatasetFormat, DatasetKind } from './datasets/dataset.js'

/** A measured figure with its bootstrap confidence interval. */
export interface Figure {
  value: number
  low: number
  high: number
  /** Items (queries, images, pairs) that it is over. */
  items: number
  /** What guessing gives. */
  chance?: number
}

export const TASKS = [
  'retrieval',
  'zero-shot',
  'few-shot',
  'compositionality',
  'word-order',
  'blind',
  'robustness',
  'bias',
  'fusion'
] as const
export type TaskName = (typeof TASKS)[number]

/** A line of a plot. */
export interface Curve {
  name: string
  points: { x: number; y: number; low?: number; high?: number }[]
}

/** A plot of several lines over one axis. */
export interface Plot {
  title: string
  x: string
  y: string
  scale?: 'linear' | 'log'
  curves: Curve[]
}

/** An image, by its id in the dataset, or a text. */
export type Shown = { image: string } | { text: string }

/** A query that went wrong: what was right, and what came instead, best first. */
export interface WorstQuery {
  query: Shown
  expected: Shown[]
  returned: { shown: Shown; score: number }[]
  /** Of the best of what was right; 1 is first. */
  rank: number
}

/** Something that the reader must know before trusting a figure. */
export interface Flag {
  level: 'note' | 'warning'
  code: string
  message: string
}

/** The code of the warning that a dataset can be answered without its images. */
export const DATASET_LEAKS = 'DATASET_LEAKS'

/**
 * What one task measured on one dataset. Figures are named `group.measure`, as in `text_to_image.recall@5`.
 */
export interface TaskReport {
  task: TaskName
  figures: Record<string, Figure>
  plots?: Plot[]
  /** Rows are the true labels, columns the predicted ones. */
  confusion?: { labels: string[]; counts: number[][] }
  worst?: { title: string; queries: WorstQuery[] }[]
  flags: Flag[]
  /** How it was done, a sentence each, with sources of the definitions. */
  method: string[]
  /** What a repetition needs beyond the dataset, as the shuffled captions of the word-order probe. */
  details?: Record<string, unknown>
}

/** One figure of two models on the same items. */
export interface Comparison {
  task: TaskName
  figure: string
  first: number
  second: number
  /** Second minus first, with its paired bootstrap interval. */
  difference: Figure
  /** Two-sided, of the paired permutation test (signs of the differences flipped). */
  p: number
}

export interface DatasetReport {
  name: string
  format: DatasetFormat | 'collection'
  kind: DatasetKind | 'embeddings' | 'collection'
  counts: {
    items: number
    images: number
    captions: number
    labels: number
    faults: number
    duplicateImages: number
    duplicateCaptions: number
  }
  /** The first of what could not be read. */
  faults: DatasetFault[]
  /** By model, in the order of the report's models. */
  results: { model: string; tasks: TaskReport[] }[]
  /** Between the first two models. */
  comparisons: Comparison[]
}

/** What an evaluation found: written as JSON as it is here. */
export interface Report {
  version: 1
  /** Of Semblance. */
  service: string
  createdAt: string
  seconds: number
  models: { name: string; fingerprint: string; dimension: number }[]
  settings: { seed: number; resamples: number; confidence: number }
  /** The command line that gives the same figures again, where one made it. */
  command?: string
  datasets: DatasetReport[]
  /**
   * WebP thumbnails, base64, of the images that worst queries show, by dataset and image id: `${dataset}
   * ${image}`.
   */
  pictures: Record<string, string>
}

/**
 * What a task returns: its report, and the value of each item by figure, in one order for every model, for
 * paired tests.
 */
export interface TaskResult {
  report: TaskReport
  perItem: Record<string, Float64Array>
  /** Of each item, which items are drawn together (the captions of one image), by figure. */
  clusters?: Record<string, Uint32Array>
}
