import type { Lane } from '../threading/call-options.js'
import type { Config } from '../config.js'
import { MIB } from '../config.js'
import { findModel, loadModelPackage, type ModelPackage } from './model-package.js'
import type { EncoderOptions } from './encode-options.js'

/**
 * Reads the model packages that the configuration names. Throws an Error that says what is missing or wrong.
 */
export async function loadModels({
  MODEL,
  MODELS,
  MODELS_DIR,
  MODEL_VARIANT
}: Pick<Config, 'MODEL' | 'MODELS' | 'MODELS_DIR' | 'MODEL_VARIANT'>): Promise<ModelPackage[]> {
  const models: ModelPackage[] = []
  for (const named of MODELS.length > 0 ? MODELS : [MODEL]) {
    const { name, folder, variant = MODEL_VARIANT } = await findModel(named, MODELS_DIR)
    models.push(await loadModelPackage(folder, { name, variant }))
  }
  return models
}

/** The waits, by lane, that requests are admitted to. */
export function maxWaitMs({
  MAX_QUEUE_MS: interactive,
  MAX_BULK_QUEUE_MS: bulk
}: Config): Record<Lane, number> {
  return { interactive, bulk }
}

/** How the configuration has encoders run. */
export function encoderOptions(config: Config): EncoderOptions {
  return {
    executionProviders: config.EXECUTION_PROVIDERS,
    strict: config.EXECUTION_PROVIDER_STRICT,
    deviceId: config.GPU_DEVICE,
    towerWorkers: config.ENCODER_WORKERS,
    ortThreads: config.ORT_THREADS,
    expressWorker: config.EXPRESS_WORKER,
    tensorrt: { cacheDir: config.TENSORRT_CACHE_DIR, workspaceBytes: config.TENSORRT_WORKSPACE_MIB * MIB },
    imageWorkers: config.DECODE_WORKERS,
    imageBatchSize: config.IMAGE_BATCH_SIZE,
    textBatchSize: config.TEXT_BATCH_SIZE,
    batchDelayMs: config.BATCH_DELAY_MS,
    queueSize: config.QUEUE_SIZE,
    maxWaitMs: maxWaitMs(config),
    cacheBytes: config.EMBEDDING_CACHE_MIB * MIB,
    limits: { maxPixels: config.MAX_IMAGE_MEGAPIXELS * 1e6 }
  }
}
