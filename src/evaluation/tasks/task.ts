import type { EmbeddedPairs, LabelledItem, LoadedDataset } from '../datasets/dataset.js'
import type { Embedder } from '../embedding/embedder.js'
import type { ImageFiles } from '../embedding/image-files.js'
import type { TaskName, TaskResult } from '../report.js'

/** What tasks share. */
export interface TaskOptions {
  seed: number
  /** Bootstrap samples. */
  resamples: number
  /** Of the intervals, as 0.95. */
  confidence: number
  /** Template sets by name, or own templates, of zero-shot classification. */
  templates: string[]
  /** Whether images with the same bytes and captions with the same words are one, or each stands alone. */
  duplicates: 'merge' | 'keep'
  /** How the graph is built and searched whose loss is shown. */
  hnsw: { m: number; efConstruction: number; efSearch: number }
  /** Set where what a graph loses is measured by another one: that of a collection. */
  hasOwnGraph?: boolean
}

/** What a task prepares with. */
export interface TaskContext {
  embedder: Embedder
  options: TaskOptions
  /** Knows the digests of images that were read before. */
  files?: Pick<ImageFiles, 'digestOf'>
  signal?: AbortSignal
}

/**
 * One kind of measurement. `prepare` reads and encodes, in the main thread; what it returns can be cloned,
 * its large arrays lie on shared memory. `measure` only computes, in a thread of its own.
 */
export interface Task<Input> {
  name: TaskName
  /** The datasets that it can be done on. */
  kinds: (LoadedDataset['kind'] | EmbeddedPairs['kind'])[]
  prepare(dataset: LoadedDataset | EmbeddedPairs, context: TaskContext): Promise<Input>
  measure(input: Input, options: TaskOptions): TaskResult | Promise<TaskResult>
}

/** The labels of a dataset in the order of their code units, and of each item the index of its own. */
export function labelsAndTruth(items: LabelledItem[]): { labels: string[]; truth: Uint32Array } {
  const labels = [...new Set(items.map(({ label }) => label))].sort()
  const places = new Map(labels.map((label, i) => [label, i]))
  return { labels, truth: Uint32Array.from(items, ({ label }) => places.get(label)!) }
}
