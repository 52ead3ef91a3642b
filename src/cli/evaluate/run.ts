import { readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type Config, MIB, readConfig } from '../../config.js'
import type { Encoder } from '../../encoder/encoder.js'
import { TemplateInvalid } from '../../errors.js'
import { type Dataset, DatasetError, type EmbeddedPairs } from '../../evaluation/datasets/dataset.js'
import { openDataset } from '../../evaluation/datasets/open-dataset.js'
import {
  DEFAULT_OPTIONS,
  type EvaluationRequest,
  requireTemplates,
  runEvaluation
} from '../../evaluation/run/run-evaluation.js'
import { chooseTasks, TaskImpossible } from '../../evaluation/tasks.js'
import type { TaskOptions } from '../../evaluation/tasks/task.js'
import { bytes } from '../../hub/bytes.js'
import { printable } from '../../terminal/printable.js'
import type { EvaluateOptions } from './options.js'
import { UsageError } from '../exit-codes.js'
import { host } from '../host.js'
import { stopSignal } from '../stop-signal.js'
import { evaluationProgress } from './evaluation-progress.js'
import { openModels } from './open-models.js'
import { repeatCommand } from './repeat-command.js'
import { requireWritable, writeReport } from './write-report.js'

type Evaluated = Dataset | EmbeddedPairs

/**
 * Measures the models on the datasets, and writes the report where it was asked for. Throws a UsageError for
 * what can't be.
 */
export async function evaluate(paths: string[], options: EvaluateOptions): Promise<void> {
  if (paths.length === 0)
    throw new UsageError(
      'There is nothing to evaluate: name a dataset, or a collection of a service with --collection.'
    )
  if (options.labelField !== undefined)
    throw new UsageError('--label-field is only for --collection; a dataset has its own classes.')
  const config = readConfig(host().env)
  const datasets = await openDatasets(paths, options)
  requirePossible(datasets, options)
  await requireWritable(options)
  const isKept = options.cache !== false && config.EVALUATION_CACHE_MIB > 0
  const cache = isKept
    ? {
        folder: resolve(options.cache || join(config.DATA_DIR, 'evaluation-cache')),
        maxBytes: config.EVALUATION_CACHE_MIB * MIB
      }
    : undefined
  const { signal, exitCode, release } = stopSignal()
  const progress = evaluationProgress(host().stderr, options.quiet === true)
  let models: { encoders: Encoder[]; close(): Promise<void> } | undefined
  try {
    models = await openModels(
      datasets.every(({ kind }) => kind === 'embeddings') ? [] : modelNames(options, config),
      { config, signal, onStep: progress.begin }
    )
    const report = await runEvaluation({
      ...requestOf(options, config),
      datasets,
      encoders: models.encoders,
      cache,
      signal,
      onProgress: progress.update,
      onWarning: progress.say,
      onEmbedded: ({ model, made }) =>
        cache && made > 0 && progress.say(`${made} embeddings of ${model} were computed and cached.`)
    })
    if (cache && models.encoders.length > 0)
      progress.say(`The cached embeddings take ${bytes(await folderSize(cache.folder))} in ${cache.folder}.`)
    for (const { name, counts, faults } of report.datasets)
      if (counts.faults > 0)
        progress.say(
          `${counts.faults} items of ${name} could not be used, the first: ${faults[0].name}: ` +
            `${faults[0].reason}`
        )
    progress.stop()
    const [model] = models.encoders.length > 0 ? modelNames(options, config) : []
    await writeReport({ ...report, command: repeatCommand(paths, { ...options, model }) }, options)
  } catch (error) {
    progress.stop()
    if (!signal.aborted) throw error
    const kept =
      cache && models
        ? ` The embeddings so far are cached in ${cache.folder}: run the same command again to continue.`
        : ''
    host().stderr.write(`${printable(`Stopped.${kept}`)}\n`)
    host().exitCode = exitCode()
  } finally {
    release()
    await models?.close()
  }
}

function modelNames({ model, against }: EvaluateOptions, { MODEL, MODELS }: Config): string[] {
  return [model ?? MODELS[0] ?? MODEL, ...(against === undefined ? [] : [against])]
}

/** Says beforehand what would only come out after the models are there. */
function requirePossible(datasets: Evaluated[], { tasks, templates, model, against }: EvaluateOptions): void {
  try {
    requireTemplates(templates)
    chooseTasks(datasets, tasks)
  } catch (error) {
    throw error instanceof TaskImpossible || error instanceof TemplateInvalid
      ? new UsageError(error.message, { cause: error })
      : error
  }
  if (datasets.every(({ kind }) => kind === 'embeddings') && (model ?? against) !== undefined)
    throw new UsageError(
      'The dataset holds embeddings, so no model is used; leave out --model and --against.'
    )
}

function requestOf(
  options: EvaluateOptions,
  config: Config
): Pick<EvaluationRequest, 'tasks' | 'options' | 'limits' | 'saveEmbeddings'> {
  const {
    tasks,
    seed,
    resamples,
    confidence,
    templates,
    duplicates,
    m,
    efConstruction,
    efSearch,
    saveEmbeddings
  } = options
  const graph = defined({ m, efConstruction, efSearch })
  const asked: Partial<TaskOptions> = {
    ...defined({ seed, resamples, confidence, templates, duplicates }),
    ...(Object.keys(graph).length > 0 && { hnsw: { ...DEFAULT_OPTIONS.hnsw, ...graph } })
  }
  return {
    tasks,
    options: asked,
    saveEmbeddings,
    limits: { maxBytes: config.MAX_IMAGE_MIB * MIB, maxPixels: config.MAX_IMAGE_MEGAPIXELS * 1e6 }
  }
}

function defined<T extends object>(options: T): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>
}

/** Bytes of the files in a folder, not of those further below. */
async function folderSize(folder: string): Promise<number> {
  const sizes = (await readdir(folder)).map(
    async (name) => (await stat(join(folder, name)).catch(() => undefined))?.size ?? 0
  )
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}

/**
 * The datasets that were named. Throws a UsageError where one isn't there or can't be made out, and for
 * options that would not fit all of them.
 */
async function openDatasets(
  paths: string[],
  { format, images, split, limit }: EvaluateOptions
): Promise<(Dataset | EmbeddedPairs)[]> {
  if (images !== undefined && paths.length > 1)
    throw new UsageError(
      '--images applies to a single dataset; evaluate the others separately, or put their images beside them.'
    )
  try {
    return await Promise.all(paths.map((path) => openDataset(path, { format, images, split, limit })))
  } catch (error) {
    throw error instanceof DatasetError ? new UsageError(error.message, { cause: error }) : error
  }
}
