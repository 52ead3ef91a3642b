import type { Collections } from '../../collections/collections.js'
import type { Exports } from '../../collections/exports/exports.js'
import { MIB, type Config } from '../../config.js'
import type { Encoders } from '../../encoder/encoders.js'
import { EvaluationInvalid, FingerprintMismatch } from '../../errors.js'
import { DatasetError } from '../../evaluation/datasets/dataset.js'
import { requireTemplates, runEvaluation } from '../../evaluation/run/run-evaluation.js'
import type { Report } from '../../evaluation/report.js'
import { chooseTasks, TaskImpossible } from '../../evaluation/tasks.js'
import type { JobKind, JobState, Work, EvaluationAsked, EvaluationPart, CollectionAsked } from '../job.js'
import { encoderOf, requireModel } from '../../records/record-parts.js'
import { withoutPaths, type FolderAsked } from './dataset-folders.js'
import { openDatasetThread } from './dataset-thread.js'
import { evaluateCollection, OF_COLLECTIONS } from './evaluate-collection.js'
import type { ImageStore } from '../../collections/stores/image-store.js'
import type { ReportStore } from '../../collections/stores/report-store.js'

export interface EvaluationParts {
  config: Pick<Config, 'DATASETS_DIR' | 'EVALUATION_CACHE_MIB' | 'MAX_IMAGE_MIB' | 'MAX_IMAGE_MEGAPIXELS'>
  /** Where the embeddings that were made are kept. */
  cacheFolder: string
  collections: Collections
  images: ImageStore
  encoders: Encoders
  exports: Exports
  reports: ReportStore
  onWarning: (warning: string) => void
  /** Told at the end how many embeddings of a model were made, and how often one was there already. */
  onEmbedded: (embedded: { model: string; made: number; found: number }) => void
}

/** Evaluations that may wait for the one that runs. */
const MAY_WAIT = 16
/** A dataset that nobody has looked at may be what ends the process. */
const MOST_CRASHES = 3

/**
 * Evaluating as a job. Planning one throws what stands against it: MODEL_NOT_FOUND, COLLECTION_NOT_FOUND,
 * COLLECTION_HAS_NO_MODEL, FINGERPRINT_MISMATCH, DATASETS_DISABLED, DATASET_NOT_FOUND, TEMPLATE_INVALID and
 * EVALUATION_INVALID.
 */
export function evaluationJobs(parts: EvaluationParts): JobKind<EvaluationAsked, EvaluationPart> {
  return {
    mayWait: MAY_WAIT,
    mostCrashes: MOST_CRASHES,
    plan: async (asked) => {
      const { dataset, against, tasks = null, options } = asked
      requireTemplates(options.templates)
      const {
        model: { name: model, fingerprint }
      } =
        'folder' in dataset
          ? await planFolder(parts, dataset, asked)
          : await planCollection(parts, dataset, asked)
      const of =
        'folder' in dataset
          ? { collection: null }
          : {
              collection: dataset.collection,
              collectionCreatedAt: (await parts.collections.get(dataset.collection)).settings.createdAt
            }
      return { ...of, dataset, model, fingerprint, against: against ?? null, tasks, options }
    },
    run: async (job, work) => {
      job.fingerprint = parts.encoders.get(job.model).model.fingerprint
      const report = await run(parts, job, work).catch(explain)
      await parts.reports.write(job.id, JSON.stringify(report))
    },
    onResume: (jobs) => parts.reports.sweep(jobs.map(({ id }) => id))
  }
}

async function planFolder(
  { config, encoders }: EvaluationParts,
  dataset: FolderAsked,
  { model, against, tasks }: EvaluationAsked
) {
  const encoder = encoders.get(model)
  if (against !== undefined && encoders.get(against) === encoder)
    throw new EvaluationInvalid(
      `The model '${against}' can't be compared with itself; set against to another model.`
    )
  const opened = await openDatasetThread(config.DATASETS_DIR, dataset)
  await opened.close()
  try {
    chooseTasks([opened.dataset], tasks)
  } catch (error) {
    explain(error)
  }
  return encoder
}

async function planCollection(
  { collections, encoders }: Pick<EvaluationParts, 'collections' | 'encoders'>,
  { collection: name, labelField }: CollectionAsked,
  { model, against, tasks }: Pick<EvaluationAsked, 'model' | 'against' | 'tasks'>
) {
  const collection = await collections.get(name)
  if (against !== undefined)
    throw new EvaluationInvalid(
      `against is not possible with a collection: '${name}' has the embeddings of one model only. ` +
        'Evaluate a folder instead.'
    )
  requireModel(collection)
  const encoder = encoderOf({ collection, encoders })
  if (model !== undefined && encoders.get(model) !== encoder)
    throw new FingerprintMismatch(name, `'${encoder.model.name}'`, `'${model}' was asked for`)
  const impossible = tasks?.find((task) => !OF_COLLECTIONS.includes(task))
  if (impossible)
    throw new EvaluationInvalid(
      `The task ${impossible} is not possible on collections, whose records have one image and one ` +
        `text; possible tasks: ${OF_COLLECTIONS.join(', ')}.`
    )
  if (labelField === undefined && tasks?.some((task) => task === 'zero-shot' || task === 'few-shot'))
    throw new EvaluationInvalid(
      'label_field is missing; name the metadata field that holds the class of each record.'
    )
  return encoder
}

async function run(
  parts: EvaluationParts,
  job: JobState & EvaluationPart,
  { signal, onChange }: Work
): Promise<Report> {
  const { config, cacheFolder, collections, images, encoders, exports, onWarning, onEmbedded } = parts
  const { dataset, model, against, options } = job
  const tasks = job.tasks ?? undefined
  const shared = {
    options,
    tasks,
    ...(config.EVALUATION_CACHE_MIB > 0 && {
      cache: { folder: cacheFolder, maxBytes: config.EVALUATION_CACHE_MIB * MIB }
    }),
    limits: { maxBytes: config.MAX_IMAGE_MIB * MIB, maxPixels: config.MAX_IMAGE_MEGAPIXELS * 1e6 },
    onProgress: (progress: JobState['progress']) => {
      job.progress = progress
      onChange()
    },
    onWarning,
    signal
  }
  if ('folder' in dataset) {
    const opened = await openDatasetThread(config.DATASETS_DIR, dataset, signal)
    return runEvaluation({
      ...shared,
      onEmbedded,
      datasets: [opened.dataset],
      encoders: [model, ...(against === null ? [] : [against])].map(encoders.get)
    })
      .catch(async (error) =>
        explain(
          error instanceof DatasetError
            ? new DatasetError(await withoutPaths(config.DATASETS_DIR, error.message))
            : error
        )
      )
      .finally(opened.close)
  }
  // It may have been re-indexed since it was planned.
  const encoder = await planCollection(parts, dataset, { model, tasks })
  return evaluateCollection({
    ...shared,
    ...dataset,
    collection: await collections.get(dataset.collection),
    images,
    exports,
    encoder
  })
}

/**
 * What is wrong with a dataset, or with what is asked of it, is for who asked for it; all else is a fault
 * here, of which it is not known what is in it.
 */
function explain(error: unknown): never {
  const isAsked = error instanceof DatasetError || error instanceof TaskImpossible
  throw isAsked ? Object.assign(new EvaluationInvalid(error.message), { cause: error }) : error
}
