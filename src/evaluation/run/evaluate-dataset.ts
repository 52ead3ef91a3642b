import { join } from 'node:path'
import type { Encoder } from '../../encoder/encoder.js'
import type { FileEmbedder } from '../embedding/create-embedder.js'
import { countDataset, countEmbedded } from '../datasets/dataset-counts.js'
import { isEmbedded } from '../datasets/dataset-parts.js'
import type { Dataset, EmbeddedPairs, LoadedDataset } from '../datasets/dataset.js'
import { loadDataset } from '../datasets/load-dataset.js'
import type { Embedder } from '../embedding/embedder.js'
import { folderName } from '../datasets/folder-name.js'
import type { ImageFiles } from '../embedding/image-files.js'
import type { KeptEmbeddings } from '../embedding/kept-embeddings.js'
import type { MeasuringThread } from './measuring-thread.js'
import type { ProgressTeller } from './progress.js'
import type { Comparison, DatasetReport, Report, TaskResult } from '../report.js'
import { recordEmbeddings } from '../embedding/saved-embeddings.js'
import type { TaskOptions } from '../tasks/task.js'
import type { AnyTask } from '../tasks.js'
import { usableItems } from './usable-items.js'
import { worstPictures } from './worst-pictures.js'

/** A model that is measured, with its embeddings. */
export interface Contestant {
  encoder: Encoder
  embedder: FileEmbedder
  kept: KeptEmbeddings
}

export interface DatasetWork {
  /** None are needed where the dataset brings its embeddings along. */
  contestants: Contestant[]
  tasks: AnyTask[]
  options: TaskOptions
  files: ImageFiles
  thread: MeasuringThread
  progress: ProgressTeller
  signal?: AbortSignal
  /** Where all that was embedded is written; below it, unless one model and one dataset are all there is. */
  saveFolder?: { root: string; isAlone: boolean }
}

interface Evaluated {
  report: DatasetReport
  pictures: Report['pictures']
}

/** Faults that a report has at most. */
export const MOST_FAULTS = 20

/** Measures all models on one dataset. */
export function evaluateDataset(dataset: Dataset | EmbeddedPairs, work: DatasetWork): Promise<Evaluated> {
  return isEmbedded(dataset) ? evaluateEmbedded(dataset, work) : evaluateImages(dataset, work)
}

async function evaluateImages(dataset: Dataset, work: DatasetWork): Promise<Evaluated> {
  const { contestants, files, progress, signal } = work
  progress.begin(`${dataset.name}: reading`)
  const loaded = await usableItems(
    await loadDataset(dataset, signal),
    contestants.map(({ embedder }) => embedder)
  )
  const results: TaskResult[][] = []
  for (const { embedder } of contestants) results.push(await measureAll(loaded, embedder, work))
  const reports = results.map((ofModel) => ofModel.map(({ report }) => report))
  progress.begin(`${dataset.name}: pictures`)
  const pictures = await worstPictures(loaded, reports.flat(), { encoder: contestants[0].encoder, signal })
  const report: DatasetReport = {
    name: loaded.name,
    format: loaded.format,
    kind: loaded.kind,
    counts: countDataset(loaded, files),
    faults: loaded.faults.slice(0, MOST_FAULTS),
    results: contestants.map(({ embedder }, i) => ({ model: embedder.model.name, tasks: reports[i] })),
    comparisons: results.length > 1 ? await compareFirstTwo(loaded.name, results, work) : []
  }
  signal?.throwIfAborted()
  return { report, pictures }
}

/**
 * The name under which the results stand of a dataset that brings its embeddings along: which model made them
 * it does not say.
 */
const BROUGHT_ALONG = 'embeddings'

async function evaluateEmbedded(dataset: EmbeddedPairs, work: DatasetWork): Promise<Evaluated> {
  const results = await measureAll(dataset, noModel, work)
  const { name, format, kind } = dataset
  const report: DatasetReport = {
    name,
    format,
    kind,
    counts: countEmbedded(dataset),
    faults: [],
    results: [{ model: BROUGHT_ALONG, tasks: results.map(({ report }) => report) }],
    comparisons: []
  }
  return { report, pictures: {} }
}

/** Stands where there is nothing to embed. */
const noModel: Embedder = {
  model: {
    name: BROUGHT_ALONG,
    fingerprint: '',
    dimension: 0,
    zeroShot: { activation: 'softmax', template: '{label}' }
  },
  images: () => Promise.reject(new Error('The dataset holds embeddings; no model is there to make others.')),
  texts: () => Promise.reject(new Error('The dataset holds embeddings; no model is there to make others.'))
}

/** What each task finds of one model. */
export async function measureAll(
  dataset: LoadedDataset | EmbeddedPairs,
  embedder: Embedder,
  { tasks, options, files, thread, progress, signal, saveFolder }: Omit<DatasetWork, 'contestants'>
): Promise<TaskResult[]> {
  const recorder = saveFolder && !isEmbedded(dataset) ? recordEmbeddings(embedder) : undefined
  const results: TaskResult[] = []
  for (const task of tasks) {
    signal?.throwIfAborted()
    progress.begin(`${dataset.name}: ${task.name} (${embedder.model.name})`)
    const input = await task.prepare(dataset, { embedder: recorder ?? embedder, options, files, signal })
    progress.begin(`${dataset.name}: ${task.name} (${embedder.model.name}), computing`)
    results.push(await thread.measure({ task: task.name, input, options }))
  }
  const folder =
    saveFolder &&
    (saveFolder.isAlone
      ? saveFolder.root
      : join(saveFolder.root, folderName(dataset.name), folderName(embedder.model.name)))
  if (recorder && folder) await recorder.save(folder)
  return results
}

async function compareFirstTwo(
  name: string,
  [first, second]: TaskResult[][],
  { thread, options, progress }: DatasetWork
): Promise<Comparison[]> {
  const comparisons: Comparison[] = []
  for (const [i, result] of first.entries()) {
    progress.begin(`${name}: ${result.report.task}, comparing`)
    comparisons.push(...(await thread.compare({ first: result, second: second[i], options })))
  }
  return comparisons
}
