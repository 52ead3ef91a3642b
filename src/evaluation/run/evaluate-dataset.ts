import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Encoder } from '../../encoder/encoder.js'
import { MAX_TEXT_LENGTH } from '../../encoder/tokenizer.js'
import { countCharacters, isLonger } from '../../validation/code-points.js'
import {
  captionsOf,
  type Dataset,
  DatasetError,
  type DatasetFault,
  type DatasetImage,
  type EmbeddedPairs,
  imagesOf,
  isEmbedded,
  labelsOf,
  type LoadedDataset
} from '../datasets/dataset.js'
import { loadDataset } from '../datasets/open-dataset.js'
import type { EmbedProgress, FileEmbedder } from '../embedding/create-embedder.js'
import type { Embedder } from '../embedding/embedder.js'
import { type ImageFiles, worstPictures } from '../embedding/image-files.js'
import { type KeptEmbeddings, recordEmbeddings } from '../embedding/kept-embeddings.js'
import type { Comparison, DatasetReport, Report, TaskResult } from '../report.js'
import { openMatrix } from '../statistics/matrix.js'
import type { AnyTask } from '../tasks.js'
import type { TaskOptions } from '../tasks/task.js'
import type { MeasuringThread } from './measuring-thread.js'

/** How far a step of an evaluation is. How many steps there are is not known beforehand. */
export interface EvaluationProgress {
  done: number
  total: number
  /** `photos: images (mini)`, say. */
  step: string
}

/** Tells of an evaluation's steps. */
export interface ProgressTeller {
  /** A step that is not counted begins. */
  begin(step: string): void
  /** How far a model is with embedding, for the step that began last. */
  embedding(model: string, progress: EmbedProgress): void
}

/** How often at most it is told of one step, in milliseconds; of its end always. */
const EVERY_MS = 50

export function progressTeller(
  onProgress: (progress: EvaluationProgress) => void = () => undefined
): ProgressTeller {
  let current = ''
  let toldAt = 0
  return {
    begin: (step) => onProgress({ done: 0, total: 1, step: (current = step) }),
    embedding: (model, { done, total, what, corruption }) => {
      const now = performance.now()
      if (done > 0 && done < total && now - toldAt < EVERY_MS) return
      toldAt = now
      onProgress({
        done,
        total,
        step:
          `${current}, ${what}${corruption ? ` with ${Object.values(corruption).join(' ')}` : ''} ` +
          `(${model})`
      })
    }
  }
}

/** Bytes of a name that stays as it is; file systems take 255. */
const MAX_BYTES = 200
/** Characters that stay of a name which is not clean. */
const KEPT = 40
const UNCLEAN = /[^\p{L}\p{M}\p{N}_.-]+/gu

/**
 * The name of the folder of a dataset or a model, another one for each: letters of all scripts stay and a
 * slash is `--`; a name that has anything else gets a part of its SHA-256.
 */
export function folderName(name: string): string {
  const flat = name.replaceAll('/', '--')
  const readable = flat.replaceAll(UNCLEAN, '-')
  if (
    readable === flat &&
    /^[\p{L}\p{N}_]/u.test(name) &&
    !/--|-\/|\/-|\/$/.test(name) &&
    Buffer.byteLength(flat) <= MAX_BYTES
  )
    return flat
  const start = [...readable.replace(/^[.-]+/, '')]
    .slice(0, KEPT)
    .join('')
    .replace(/[.-]+$/, '')
  return `${start || 'unnamed'}-${createHash('sha256').update(name).digest('hex').slice(0, 8)}`
}

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
  const pictures = await worstPictures(loaded, reports.flat(), {
    encoder: contestants[0].encoder,
    files,
    signal
  })
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
  images: () =>
    Promise.reject(new Error('The dataset holds embeddings; there is no model to compute others.')),
  texts: () => Promise.reject(new Error('The dataset holds embeddings; there is no model to compute others.'))
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

type Counts = DatasetReport['counts']

/**
 * How much of what is in a dataset; images with the same bytes and captions with the same words are counted
 * as duplicates, all but the first.
 */
function countDataset(dataset: LoadedDataset, files: ImageFiles): Counts {
  const images = imagesOf(dataset)
  const captions = captionsOf(dataset)
  const digests = images.map(({ path }) => files.digest(path) ?? path)
  return {
    items: dataset.items.length,
    images: images.length,
    captions: captions.length,
    labels: labelsOf(dataset).length,
    faults: dataset.faults.length,
    duplicateImages: images.length - new Set(digests).size,
    duplicateCaptions: captions.length - new Set(captions).size
  }
}

/** As `countDataset`, of embeddings, which do not tell duplicates. */
function countEmbedded({ images, captions }: EmbeddedPairs): Counts {
  const [imageCount, captionCount] = [images, captions].map((source) => {
    const matrix = openMatrix(source)
    matrix.close()
    return matrix.rows
  })
  return {
    items: captionCount,
    images: imageCount,
    captions: captionCount,
    labels: 0,
    faults: 0,
    duplicateImages: 0,
    duplicateCaptions: 0
  }
}

/**
 * A dataset without what some model can't embed, so that all models are measured on the same items: images
 * that can't be read, captions that are too long, and items that nothing is left of. Its faults have a line
 * for each. Throws when no item is left.
 */
async function usableItems(dataset: LoadedDataset, embedders: FileEmbedder[]): Promise<LoadedDataset> {
  const broken = new Map<string, DatasetFault>()
  for (const { broken: find } of embedders)
    for (const [{ id }, reason] of await find(imagesOf(dataset))) broken.set(id, { name: id, reason })
  const faults = [...dataset.faults, ...broken.values()]
  const isWhole = ({ id }: DatasetImage) => !broken.has(id)
  const isShort = (text: string) => {
    if (!isLonger(text, MAX_TEXT_LENGTH)) return true
    faults.push({
      name: `${text.slice(0, 40)}…`,
      reason: `the text has ${countCharacters(text)} characters; at most ${MAX_TEXT_LENGTH} are allowed`
    })
    return false
  }
  const items = keep(dataset, { isWhole, isShort })
  if (items.length === 0) {
    const [first] = faults
    const reason = first
      ? `; the first of ${faults.length} faults is ${first.name}: ${first.reason}`
      : ': it has no items'
    throw new DatasetError(`No item of '${dataset.name}' can be evaluated${reason}.`)
  }
  return { ...dataset, items, faults } as LoadedDataset
}

function keep(
  dataset: LoadedDataset,
  { isWhole, isShort }: { isWhole: (image: DatasetImage) => boolean; isShort: (text: string) => boolean }
): LoadedDataset['items'] {
  switch (dataset.kind) {
    case 'captions':
      return dataset.items
        .filter(({ image }) => isWhole(image))
        .map((item) => ({ ...item, captions: item.captions.filter(isShort) }))
        .filter(({ captions }) => captions.length > 0)
    case 'classes':
      return dataset.items.filter(
        ({ image, label, text }) => isWhole(image) && isShort(label) && (text === undefined || isShort(text))
      )
    case 'pairs':
      return dataset.items.filter(({ images, captions }) => images.every(isWhole) && captions.every(isShort))
    case 'choices':
      return dataset.items.filter(
        ({ image, caption, negatives }) => isWhole(image) && [caption, ...negatives].every(isShort)
      )
  }
}
