import { createRequire } from 'node:module'
import { availableParallelism, cpus, freemem, release, totalmem } from 'node:os'
import { resolve } from 'node:path'
import { readKeyFile } from './access/key-file.js'
import { inspectStore, type CollectionReport } from './collections/inspect.js'
import { describeSetback } from './collections/stores/setback.js'
import type { Config } from './config.js'
import { createEncoder, type Encoder } from './encoder/encoder.js'
import { checkGolden } from './encoder/golden.js'
import type { ModelPackage } from './encoder/model-package.js'
import { supportedProviders } from './encoder/session.js'
import { encoderOptions, loadModels } from './encoder/load-models.js'
import { freeBytes } from './fs/disk-space.js'

/** One thing that was looked at. `warn` serves, though not as one may think; `fail` does not. */
export interface Finding {
  topic: 'machine' | 'runtime' | 'keys' | 'model' | 'store'
  status: 'ok' | 'warn' | 'fail'
  text: string
}

const GIB = 2 ** 30
/** Least cosine to the golden values, in full or half precision; others lose more by their nature. */
const LEAST_COSINE = 0.999
const LEAST_COSINE_OF_FEW_BITS = 0.9
/** Under this much free space a store is short of it, in bytes. */
const LITTLE_SPACE = GIB

/**
 * Looks at the machine, ONNX Runtime, the configured models and the store, one finding after the other;
 * changes nothing.
 */
export async function* examine(config: Config): AsyncGenerator<Finding> {
  yield machine()
  yield runtime()
  if (config.API_KEYS_FILE !== '') yield* examineKeys(resolve(config.API_KEYS_FILE))
  const models: ModelPackage[] = []
  try {
    models.push(...(await loadModels(config)))
  } catch (error) {
    yield { topic: 'model', status: 'fail', text: (error as Error).message }
  }
  for (const model of models) yield* examineModel(model, config)
  yield* examineStore(resolve(config.DATA_DIR), models)
}

function machine(): Finding {
  const memory = `${(totalmem() / GIB).toFixed(1)} GiB of memory, ${(freemem() / GIB).toFixed(1)} free`
  return {
    topic: 'machine',
    status: 'ok',
    text:
      `${process.platform} ${release()} ${process.arch}, ${availableParallelism()} cores ` +
      `(${cpus()[0]?.model ?? 'unknown'}), ${memory}, Node.js ${process.versions.node}`
  }
}

function runtime(): Finding {
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string }
  const providers = supportedProviders().map(
    ({ name, bundled }) => `${name}${bundled ? '' : ' (with libraries of its own)'}`
  )
  return {
    topic: 'runtime',
    status: 'ok',
    text: `onnxruntime-node ${version} supports ${providers.join(', ')}`
  }
}

/** The file of API keys: whether it can be read, by whom else, and what is in it. */
async function* examineKeys(path: string): AsyncGenerator<Finding> {
  try {
    const {
      file: { keys },
      exposure
    } = await readKeyFile(path)
    const expired = keys
      .filter(({ expires_at: expires }) => expires !== undefined && Date.parse(expires) <= Date.now())
      .map(({ name }) => name)
    const verb = expired.length === 1 ? 'has' : 'have'
    const ofWhich = expired.length > 0 ? `, of which ${expired.join(', ')} ${verb} expired` : ''
    yield {
      topic: 'keys',
      status: keys.length > expired.length ? 'ok' : 'warn',
      text: `${path}: ${keys.length} ${keys.length === 1 ? 'key' : 'keys'}${ofWhich}`
    }
    if (exposure) yield { topic: 'keys', status: 'warn', text: exposure }
  } catch (error) {
    yield { topic: 'keys', status: 'fail', text: (error as Error).message }
  }
}

async function* examineModel(model: ModelPackage, config: Config): AsyncGenerator<Finding> {
  const { name, layout, family, variant, fingerprint, folder } = model
  yield {
    topic: 'model',
    status: 'ok',
    text:
      `${name}: ${family}, ${variant}, ${layout} layout in ${folder}, fingerprint ` +
      `${fingerprint.slice(0, 12)}`
  }
  let encoder: Encoder
  try {
    encoder = await createEncoder(model, encoderOptions(config))
  } catch (error) {
    yield { topic: 'model', status: 'fail', text: (error as Error).message }
    return
  }
  try {
    const { requested, towers, passedOver } = encoder.execution
    const nodes = Object.entries(towers).map(
      ([tower, { provider, nodes }]) =>
        `${tower} tower on ${provider} (nodes: ${Object.entries(nodes)
          .map(([by, count]) => `${by} ${count}`)
          .join(', ')})`
    )
    const missed = passedOver.map(({ provider, reason }) => `; not on ${provider}: ${reason}`).join('')
    yield {
      topic: 'model',
      status: passedOver.length === 0 ? 'ok' : 'warn',
      text:
        `${name}: requested ${requested.join(', ')}; ${nodes.join(', ')}; ${encoder.dimension} ` +
        `dimensions${missed}`
    }
    yield await golden(encoder)
  } catch (error) {
    yield { topic: 'model', status: 'fail', text: `${name}: ${(error as Error).message}` }
  } finally {
    await encoder.close()
  }
}

async function golden(encoder: Encoder): Promise<Finding> {
  const { name, variant } = encoder.model
  const report = await checkGolden(encoder)
  if (!report)
    return { topic: 'model', status: 'ok', text: `${name}: the package has no golden values to compare with` }
  const { texts, images, otherTokens, textCosine, imageCosine } = report
  const least = variant === 'fp32' || variant === 'fp16' ? LEAST_COSINE : LEAST_COSINE_OF_FEW_BITS
  const isGood = otherTokens === 0 && textCosine >= least && imageCosine >= least
  return {
    topic: 'model',
    status: isGood ? 'ok' : 'fail',
    text:
      `${name}: golden values: ${texts - otherTokens} of ${texts} texts give the same tokens; ` +
      `least cosine of texts ${textCosine.toFixed(6)}, of ${images} images ` +
      `${imageCosine.toFixed(6)} (at least ${least} is expected)`
  }
}

async function* examineStore(dataDir: string, models: ModelPackage[]): AsyncGenerator<Finding> {
  try {
    const report = await inspectStore(dataDir)
    if (!report) {
      yield { topic: 'store', status: 'ok', text: `${dataDir} holds no store yet` }
      return
    }
    const free = await freeBytes(dataDir)
    yield {
      topic: 'store',
      status: free < LITTLE_SPACE ? 'warn' : 'ok',
      text: `${dataDir}: ${(free / GIB).toFixed(1)} GiB free`
    }
    const { schema, newestSchema, damage, setback, collections } = report
    if (schema > newestSchema)
      yield {
        topic: 'store',
        status: 'fail',
        text: `schema ${schema} was written by a newer version; this one knows ${newestSchema}`
      }
    else if (schema < newestSchema)
      yield {
        topic: 'store',
        status: 'warn',
        text: `schema ${schema} is migrated to ${newestSchema} at the next start`
      }
    else
      yield {
        topic: 'store',
        status: damage.length === 0 ? 'ok' : 'fail',
        text:
          damage.length === 0
            ? `schema ${schema}, the file is sound`
            : `the store is damaged: ${damage.join('; ')}`
      }
    if (setback)
      yield {
        topic: 'store',
        status: 'warn',
        text: `${describeSetback(setback)} (noticed ${new Date(setback.noticedAt).toISOString()})`
      }
    for (const collection of collections) yield collectionFinding(collection, models)
  } catch (error) {
    yield { topic: 'store', status: 'fail', text: `${dataDir}: ${(error as Error).message}` }
  }
}

function collectionFinding(
  { name, model, fingerprint, records, lostImages, rebuilt }: CollectionReport,
  models: ModelPackage[]
): Finding {
  const isLoaded = fingerprint === null || models.some((loaded) => loaded.fingerprint === fingerprint)
  const warnings = [
    ...(isLoaded
      ? []
      : [`made with '${model}' (${fingerprint?.slice(0, 12)}), which is not loaded: load it or re-index`]),
    ...rebuilt.map((problem) => `a graph is rebuilt at the next start (${problem})`)
  ]
  const lost =
    lostImages.count > 0
      ? [
          `${lostImages.count} kept images are missing ` +
            `(${lostImages.ids.join(', ')}${lostImages.count > lostImages.ids.length ? ', ...' : ''})`
        ]
      : []
  return {
    topic: 'store',
    status: lost.length > 0 ? 'fail' : warnings.length > 0 ? 'warn' : 'ok',
    text: [`collection ${name}: ${records} records`, ...lost, ...warnings].join('; ')
  }
}
