import type { Config } from '../../config.js'
import { createEncoder, type Encoder } from '../../encoder/encoder.js'
import type { ModelPackage } from '../../encoder/model-package.js'
import { encoderOptions, loadModels } from '../../encoder/load-models.js'
import { UsageError } from '../exit-codes.js'

export interface OpenedModels {
  encoders: Encoder[]
  close(): Promise<void>
}

/**
 * Starts the models as the configuration has them run, without what only serves those that wait. Throws a
 * UsageError where two are the same.
 */
export async function openModels(
  names: string[],
  { config, signal, onStep }: { config: Config; signal: AbortSignal; onStep: (step: string) => void }
): Promise<OpenedModels> {
  const encoders: Encoder[] = []
  const close = async () => void (await Promise.all(encoders.map((encoder) => encoder.close())))
  try {
    for (const model of await packages(names, config)) {
      signal.throwIfAborted()
      onStep(`starting ${model.name}`)
      // Embeddings are kept elsewhere.
      encoders.push(
        await createEncoder(model, { ...encoderOptions(config), expressWorker: false, cacheBytes: 0 })
      )
    }
  } catch (error) {
    await close()
    throw error
  }
  return { encoders, close }
}

/** The packages; two variants of one model are told apart by their names. */
async function packages(names: string[], config: Config): Promise<ModelPackage[]> {
  const models = names.length > 0 ? await loadModels({ ...config, MODELS: names }) : []
  const [first, second] = models
  if (second && first.fingerprint === second.fingerprint)
    throw new UsageError(
      `'${names[0]}' and '${names[1]}' are the same model; set --against to another model, or to ` +
        `another variant, such as ${first.name}:int8.`
    )
  const isTwice = first?.name === second?.name
  return models.map((model, i) => (isTwice ? { ...model, name: nameOf(model, i) } : model))
}

function nameOf({ name, variant }: ModelPackage, i: number): string {
  return i === 0 ? name : `${name}:${variant}`
}
