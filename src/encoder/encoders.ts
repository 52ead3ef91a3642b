import { ModelNotFound } from '../errors.js'
import { createEncoder, type Encoder } from './encoder.js'
import type { ModelPackage } from './model-package.js'
import type { EncoderOptions } from './encode-options.js'

/** The encoders of the loaded models. */
export interface Encoders {
  /** In the order in which they were named. */
  readonly all: Encoder[]
  /** The encoder of a model, or of the first where none is named. Throws MODEL_NOT_FOUND. */
  get(model?: string): Encoder
  /** The encoder whose embeddings a fingerprint stands for. */
  withFingerprint(fingerprint: string): Encoder | undefined
  /** Finishes what was admitted, then ends all threads. May be called again. */
  close(): Promise<void>
}

/**
 * Starts an encoder for each model, one after the other. Throws when two have one name, or when one can't
 * start.
 */
export async function createEncoders(models: ModelPackage[], options: EncoderOptions): Promise<Encoders> {
  const twice = models.find(({ name }, i) => models.findIndex((model) => model.name === name) !== i)
  if (twice) throw new Error(`MODELS lists the model '${twice.name}' twice.`)
  const all: Encoder[] = []
  const close = async () => void (await Promise.all(all.map((encoder) => encoder.close())))
  try {
    for (const model of models) all.push(await createEncoder(model, options))
  } catch (error) {
    await close()
    throw error
  }
  return {
    all,
    get: (name) => {
      const found = name === undefined ? all[0] : all.find(({ model }) => model.name === name)
      if (!found) throw new ModelNotFound(name, all.map(({ model }) => `'${model.name}'`).join(', '))
      return found
    },
    withFingerprint: (fingerprint) => all.find(({ model }) => model.fingerprint === fingerprint),
    close
  }
}
