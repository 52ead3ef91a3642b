import type { Collection } from '../../collections/collection.js'
import type { ImageStore } from '../../collections/stores/image-store.js'
import type { Exports } from '../../collections/exports/exports.js'
import type { Encoder } from '../../encoder/encoder.js'
import { EvaluationInvalid } from '../../errors.js'
import { labelsOf, type LoadedDataset } from '../../evaluation/datasets/dataset.js'
import { createEmbedder } from '../../evaluation/embedding/create-embedder.js'
import { type Embedder, type Rows, sharedRows } from '../../evaluation/embedding/embedder.js'
import { type FileLimits, worstPictures } from '../../evaluation/embedding/image-files.js'
import { type EmbeddingsCache, openKeptEmbeddings } from '../../evaluation/embedding/kept-embeddings.js'
import type { DatasetReport, Report, TaskName, TaskReport } from '../../evaluation/report.js'
import {
  type EvaluationProgress,
  measureAll,
  MOST_FAULTS,
  progressTeller,
  type ProgressTeller
} from '../../evaluation/run/evaluate-dataset.js'
import { type MeasuringThread, startMeasuringThread } from '../../evaluation/run/measuring-thread.js'
import { DEFAULT_OPTIONS } from '../../evaluation/run/run-evaluation.js'
import { type AnyTask, TASKS_BY_NAME } from '../../evaluation/tasks.js'
import type { TaskOptions } from '../../evaluation/tasks/task.js'
import { version } from '../../version.js'
import { type CollectionSample, datasetsOf, keptAlone, sampleCollection } from './collection-sample.js'
import { measureIndex } from './index-loss.js'
import { keptImages } from './kept-images.js'

export interface CollectionEvaluation {
  collection: Collection
  images: ImageStore
  exports: Exports
  /** Of the model that the collection's embeddings are of. */
  encoder: Encoder
  labelField?: string
  limit: number
  /** Retrieval, and where there are labels zero-shot and few-shot, if none are named. */
  tasks?: TaskName[]
  options: Partial<TaskOptions>
  /** Where the embeddings of what the collection has none of are kept. */
  cache?: EmbeddingsCache
  limits: FileLimits
  onProgress: (progress: EvaluationProgress) => void
  onWarning: (warning: string) => void
  signal: AbortSignal
}

const USUAL_TASKS: TaskName[] = ['retrieval', 'zero-shot', 'few-shot']
/**
 * Those that records allow: of fusion there is no measuring, since the one text of a record leaves no other
 * to ask by.
 */
export const OF_COLLECTIONS: TaskName[] = [...USUAL_TASKS, 'bias', 'blind', 'robustness', 'word-order']
/** They look at the images themselves, so that these must have been kept. */
const OF_IMAGES: TaskName[] = ['robustness', 'blind']

/**
 * Measures a model on the records of a collection by the embeddings that it has of them: images and texts are
 * not encoded again. Retrieval is measured through its index too. Throws EVALUATION_INVALID where it has no
 * records that a task can be done on, COLLECTION_REPLACED, and the signal's reason.
 */
export async function evaluateCollection(evaluation: CollectionEvaluation): Promise<Report> {
  const startedAt = performance.now()
  const { collection, exports, encoder, limit, labelField, signal } = evaluation
  const progress = progressTeller(evaluation.onProgress)
  progress.begin(`${collection.settings.name}: reading`)
  // Pictures stay until they are in the report.
  const release = await evaluation.images.hold()
  const thread = await startMeasuringThread(signal).catch(async (error) => {
    await release()
    throw error
  })
  try {
    const sample = await sampleCollection(collection, exports, { limit, labelField, signal })
    const options = {
      ...DEFAULT_OPTIONS,
      hnsw: collection.settings.hnsw,
      hasOwnGraph: true,
      ...evaluation.options
    }
    const { tasks, pictures, datasets } = await measureSample(sample, evaluation, {
      thread,
      options,
      progress
    })
    const {
      model: { name, fingerprint },
      dimension
    } = encoder
    return {
      version: 1,
      service: version,
      createdAt: new Date().toISOString(),
      seconds: (performance.now() - startedAt) / 1000,
      models: [{ name, fingerprint, dimension }],
      settings: { seed: options.seed, resamples: options.resamples, confidence: options.confidence },
      datasets: [
        describe(sample, datasets, { name: collection.settings.name, results: [{ model: name, tasks }] })
      ],
      pictures
    }
  } finally {
    await Promise.all([thread.close(), release()])
  }
}

interface Means {
  thread: MeasuringThread
  options: TaskOptions
  progress: ProgressTeller
}

async function measureSample(
  sample: CollectionSample,
  evaluation: CollectionEvaluation,
  { thread, options, progress }: Means
): Promise<{ tasks: TaskReport[]; pictures: Report['pictures']; datasets: LoadedDataset[] }> {
  const { collection, images, encoder, cache, onWarning, signal } = evaluation
  const datasets = datasetsOf(sample, collection.settings)
  const chosen = choose(datasets, evaluation)
  const kept = openKeptEmbeddings({
    cache,
    fingerprint: encoder.model.fingerprint,
    dimension: encoder.dimension,
    onWarning
  })
  const files = keptImages(images, evaluation.limits)
  const embedder = createEmbedder(encoder, {
    kept,
    files,
    signal,
    sharing: `collection ${evaluation.collection.settings.id}`,
    onProgress: (embedding) => progress.embedding(encoder.model.name, embedding)
  })
  try {
    const stored = collectionEmbedder(sample, embedder)
    const tasks: TaskReport[] = []
    for (const [task, dataset] of chosen) {
      const isOfImages = OF_IMAGES.includes(task.name)
      const [{ report }] = await measureAll(
        isOfImages ? keptAlone(dataset, sample) : dataset,
        isOfImages ? embedder : stored,
        { tasks: [task], options, files, thread, progress, signal }
      )
      if (task.name === 'retrieval')
        await measureIndex(report, { sample, collection, thread, options, progress, signal })
      tasks.push(noted(report, sample))
    }
    const pictures = await worstPictures(datasets[0], tasks, { encoder, files, signal })
    return { tasks, pictures, datasets }
  } finally {
    embedder.close()
  }
}

/** The tasks, each with the dataset that it is done on. */
function choose(
  datasets: LoadedDataset[],
  {
    tasks,
    labelField,
    collection: {
      settings: { name }
    }
  }: CollectionEvaluation
): [AnyTask, LoadedDataset][] {
  if (datasets.length === 0) {
    const labelled =
      labelField === undefined
        ? '; with label_field, records without texts can be classified'
        : `, and none with an image and a '${labelField}'`
    throw new EvaluationInvalid(`Collection '${name}' has no record with an image and a text${labelled}.`)
  }
  if (labelField !== undefined && !datasets.some(({ kind }) => kind === 'classes'))
    throw new EvaluationInvalid(
      `No record of '${name}' has an image and a single value in the field '${labelField}'.`
    )
  const found = (tasks ?? USUAL_TASKS).map((asked) => {
    const task = TASKS_BY_NAME[asked]
    const dataset = datasets.find(({ kind }) => task?.kinds.includes(kind))
    if (task && dataset) return [task, dataset] as [AnyTask, LoadedDataset]
    if (tasks)
      throw new EvaluationInvalid(
        `The task ${asked} is not possible on collection '${name}': it has no records of the required ` +
          `kind (${task?.kinds.join(', ')}).`
      )
    return undefined
  })
  return found.filter((each) => each !== undefined)
}

function noted(report: TaskReport, { records, total }: CollectionSample): TaskReport {
  if (records.length >= total) return report
  return {
    ...report,
    flags: [
      ...report.flags,
      {
        level: 'note',
        code: 'SAMPLE',
        message:
          `The figures are over ${records.length} of the ${total} eligible records, always the ` +
          'same ones.'
      }
    ]
  }
}

function describe(
  { records }: CollectionSample,
  datasets: LoadedDataset[],
  { name, results }: Pick<DatasetReport, 'name' | 'results'>
): DatasetReport {
  const texts = records.flatMap(({ text }) => text ?? [])
  const images = records.flatMap(({ image }) => image ?? [])
  const faults = datasets.flatMap((dataset) => dataset.faults)
  const counts = {
    items: records.length,
    images: records.length,
    captions: texts.length,
    labels: datasets.flatMap(labelsOf).length,
    faults: faults.length,
    duplicateImages: images.length - new Set(images).size,
    duplicateCaptions: texts.length - new Set(texts).size
  }
  return {
    name,
    format: 'collection',
    kind: 'collection',
    counts,
    faults: faults.slice(0, MOST_FAULTS),
    results,
    comparisons: []
  }
}

/**
 * An embedder that answers with the embeddings that a collection has, and asks another one for all else:
 * prompts, shuffled captions, corrupted images.
 */
function collectionEmbedder(sample: CollectionSample, encoder: Embedder): Embedder {
  const rowOfImage = new Map(sample.records.map(({ id }, row) => [id, row]))
  const rowOfText = new Map(
    sample.records.flatMap(({ text }, row) => (text === null ? [] : [[text, row] as const]))
  )
  return {
    model: encoder.model,
    images: (images, corruption) => {
      if (corruption) return encoder.images(images, corruption)
      return gather(images, {
        rows: sample.images,
        rowOf: ({ id }) => rowOfImage.get(id),
        encode: (missing) => encoder.images(missing)
      })
    },
    texts: (texts) =>
      gather(texts, { rows: sample.texts, rowOf: (text) => rowOfText.get(text), encode: encoder.texts })
  }
}

interface Source<T> {
  rows: Rows
  rowOf(item: T): number | undefined
  encode(missing: T[]): Promise<Rows>
}

async function gather<T>(
  items: T[],
  { rows: { dimension, values }, rowOf, encode }: Source<T>
): Promise<Rows> {
  const gathered = sharedRows(items.length, dimension)
  const missing: number[] = []
  items.forEach((item, i) => {
    const row = rowOf(item)
    if (row === undefined) missing.push(i)
    else gathered.values.set(values.subarray(row * dimension, (row + 1) * dimension), i * dimension)
  })
  if (missing.length === 0) return gathered
  const encoded = await encode(missing.map((i) => items[i]))
  missing.forEach((i, row) =>
    gathered.values.set(encoded.values.subarray(row * dimension, (row + 1) * dimension), i * dimension)
  )
  return gathered
}
