import { DEFAULT_HNSW } from '../../collections/record.js'
import type { Encoder } from '../../encoder/encoder.js'
import { resolveTemplates } from '../../encoder/zero-shot.js'
import { version } from '../../version.js'
import type { Dataset, EmbeddedPairs } from '../datasets/dataset.js'
import { createEmbedder } from '../embedding/create-embedder.js'
import { createImageFiles, type FileLimits } from '../embedding/image-files.js'
import { type EmbeddingsCache, openKeptEmbeddings } from '../embedding/kept-embeddings.js'
import type { Report, TaskName } from '../report.js'
import { chooseTasks } from '../tasks.js'
import type { TaskOptions } from '../tasks/task.js'
import {
  type Contestant,
  evaluateDataset,
  type EvaluationProgress,
  progressTeller
} from './evaluate-dataset.js'
import { startMeasuringThread } from './measuring-thread.js'

/** How an evaluation is done where nothing else is asked for. */
export const DEFAULT_OPTIONS: TaskOptions = {
  seed: 0,
  resamples: 1000,
  confidence: 0.95,
  templates: ['imagenet-7', 'imagenet-80'],
  duplicates: 'merge',
  hnsw: DEFAULT_HNSW
}

/** Throws TEMPLATE_INVALID for a set of templates that there is not. */
export function requireTemplates(templates: string[] = []): void {
  for (const template of templates) if (!template.includes('{label}')) resolveTemplates(template)
}

/** Things whose names are told apart: the second of a name gets (2). */
function distinctNames<T extends { name: string }>(things: T[]): T[] {
  const taken = new Set<string>()
  return things.map((thing) => {
    let { name } = thing
    for (let n = 2; taken.has(name); n++) name = `${thing.name} (${n})`
    taken.add(name)
    return name === thing.name ? thing : { ...thing, name }
  })
}

export interface EvaluationRequest {
  datasets: (Dataset | EmbeddedPairs)[]
  /**
   * Of the models that are measured; none where all datasets bring their embeddings. The first two are
   * compared.
   */
  encoders: Encoder[]
  /** All that a dataset allows, if none are named. */
  tasks?: TaskName[]
  options?: Partial<TaskOptions>
  /** Where embeddings are kept for the next evaluation; without it they are until this one ends. */
  cache?: EmbeddingsCache
  /** Of image files; the service's usual ones, if none are given. */
  limits?: FileLimits
  /**
   * Folder to which all that was embedded is written, in one below it for each dataset and model where there
   * are several.
   */
  saveEmbeddings?: string
  onProgress?: (progress: EvaluationProgress) => void
  /** Told what the user should know, and what did not stop the evaluation. */
  onWarning?: (warning: string) => void
  /** Told at the end how many embeddings of a model were made, and how often one was there already. */
  onEmbedded?: (embedded: { model: string; made: number; found: number }) => void
  /** Ends the evaluation where it is, with the signal's reason; what was embedded stays kept. */
  signal?: AbortSignal
}

/**
 * Measures models on datasets: every task that a dataset's kind allows, each figure with its interval, and
 * the first two models compared. Embeddings are written as they come, so that an evaluation that was stopped
 * continues where it was. Throws where a task can't be done, TEMPLATE_INVALID, where a dataset can't be read
 * or has no usable item, and the signal's reason.
 */
export async function runEvaluation(request: EvaluationRequest): Promise<Report> {
  const startedAt = performance.now()
  const { signal, encoders } = request
  const datasets = distinctNames(request.datasets)
  const chosen = chooseTasks(datasets, request.tasks)
  const options = { ...DEFAULT_OPTIONS, ...request.options }
  requireTemplates(options.templates)
  if (encoders.length === 0 && datasets.some(({ kind }) => kind !== 'embeddings'))
    throw new Error('Datasets of images and texts need a model.')
  const files = createImageFiles(request.limits)
  const progress = progressTeller(request.onProgress)
  const contestants = openContestants(request, { files, progress })
  const thread = await startMeasuringThread(signal).catch(closing(contestants))
  try {
    const reports = []
    const pictures: Report['pictures'] = {}
    for (const [i, dataset] of datasets.entries()) {
      signal?.throwIfAborted()
      const saveFolder =
        request.saveEmbeddings === undefined
          ? undefined
          : { root: request.saveEmbeddings, isAlone: datasets.length === 1 && contestants.length <= 1 }
      const evaluated = await evaluateDataset(dataset, {
        contestants,
        tasks: chosen[i],
        options,
        files,
        thread,
        progress,
        signal,
        saveFolder
      })
      reports.push(evaluated.report)
      Object.assign(pictures, evaluated.pictures)
    }
    for (const { encoder, kept } of contestants)
      request.onEmbedded?.({ model: encoder.model.name, made: kept.counts.added, found: kept.counts.found })
    return {
      version: 1,
      service: version,
      createdAt: new Date().toISOString(),
      seconds: (performance.now() - startedAt) / 1000,
      models: contestants.map(
        ({
          embedder: {
            model: { name, fingerprint, dimension }
          }
        }) => ({ name, fingerprint, dimension })
      ),
      settings: { seed: options.seed, resamples: options.resamples, confidence: options.confidence },
      datasets: reports,
      pictures
    }
  } finally {
    await Promise.all([thread.close(), ...contestants.map(({ embedder }) => embedder.close())])
  }
}

function openContestants(
  { encoders, cache, onWarning = () => undefined, signal }: EvaluationRequest,
  { files, progress }: Pick<Parameters<typeof evaluateDataset>[1], 'files' | 'progress'>
): Contestant[] {
  const contestants: Contestant[] = []
  for (const encoder of encoders) {
    const { dimension, model } = encoder
    const kept = openKeptEmbeddings({ cache, fingerprint: model.fingerprint, dimension, onWarning })
    contestants.push({
      encoder,
      kept,
      embedder: createEmbedder(encoder, {
        kept,
        files,
        signal,
        onProgress: (embedding) => progress.embedding(model.name, embedding)
      })
    })
  }
  return contestants
}

function closing(contestants: Contestant[]): (error: unknown) => never {
  return (error) => {
    for (const { embedder } of contestants) embedder.close()
    throw error
  }
}
