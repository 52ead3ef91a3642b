import type { Report, TaskName } from '../../evaluation/report.js'
import { fromJson } from '../../evaluation/report/json.js'
import type { EvaluateOptions } from './options.js'
import { UsageError } from '../exit-codes.js'
import { host } from '../host.js'
import type { Service } from '../service.js'
import { withStop } from '../with-stop.js'
import { evaluationProgress } from './evaluation-progress.js'
import { repeatCommand } from './repeat-command.js'
import { requireWritable, writeReport } from './write-report.js'

/**
 * What is of files, of models that the command itself runs, of a graph that is built for the evaluation, or
 * of where the command keeps embeddings: those of a collection the service keeps.
 */
const NOT_OF_COLLECTIONS = [
  'format',
  'images',
  'split',
  'against',
  'confidence',
  'm',
  'efConstruction',
  'efSearch',
  'saveEmbeddings',
  'cache'
] as const

/**
 * `semblance evaluate --collection`: has a service do it, and writes the report as it is asked for. Throws a
 * UsageError for options that are of datasets alone.
 */
export async function evaluateOwn(
  collection: string,
  datasets: string[],
  options: EvaluateOptions
): Promise<void> {
  if (datasets.length > 0)
    throw new UsageError("Datasets and --collection can't be evaluated in one run; run the command for each.")
  const other = NOT_OF_COLLECTIONS.find((name) => options[name] !== undefined)
  if (other) {
    const flag = other.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
    const negation = options[other] === false ? 'no-' : ''
    throw new UsageError(`--${negation}${flag} can't be used with --collection.`)
  }
  await requireWritable(options)
  const { labelField, limit, model, tasks, templates, seed, resamples, duplicates, quiet } = options
  await withStop(options, async (service, signal) => {
    const report = await evaluateCollection(service, {
      collection,
      labelField,
      limit,
      model,
      tasks,
      templates,
      seed,
      resamples,
      duplicates,
      quiet,
      signal
    })
    await writeReport({ ...report, command: repeatCommand([], options) }, options)
  })
}

export interface CollectionOptions {
  collection: string
  labelField?: string
  limit?: number
  model?: string
  tasks?: TaskName[]
  templates?: string[]
  seed?: number
  resamples?: number
  duplicates?: 'merge' | 'keep'
  quiet?: boolean
  signal: AbortSignal
}

/**
 * Has a service evaluate one of its collections, showing how far it is, and resolves to the report. When the
 * signal aborts the evaluation is ended there, too. Throws a UsageError where the service finds that what is
 * asked for can't be, and an Error where it failed.
 */
export async function evaluateCollection(
  { api }: Pick<Service, 'api'>,
  { collection, labelField, limit, quiet = false, signal, ...rest }: CollectionOptions
): Promise<Report> {
  const progress = evaluationProgress(host().stderr, quiet)
  const { id } = await api.post('/v1/evaluations', {
    body: { dataset: { collection, label_field: labelField, limit }, ...rest },
    signal
  })
  const params = { path: { id } }
  try {
    for await (const job of api.events(id, { signal })) {
      if (job.kind !== 'evaluation') continue
      progress.update(
        job.state === 'queued' ? { done: 0, total: 1, step: 'waiting for another evaluation' } : job.progress
      )
    }
    const { state, error, report } = await api.get('/v1/evaluations/{id}', { params, signal })
    if (error?.code === 'EVALUATION_INVALID') throw new UsageError(error.message)
    if (!report)
      throw new Error(`The evaluation ${id} has ${state}${error ? `: ${error.code}: ${error.message}` : ''}`)
    return fromJson(report)
  } catch (error) {
    if (signal.aborted) await api.delete('/v1/evaluations/{id}', { params }).catch(() => undefined)
    throw error
  } finally {
    progress.stop()
  }
}
