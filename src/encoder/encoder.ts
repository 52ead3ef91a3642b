import { createHash } from 'node:crypto'
import type { AddOptions, Batcher } from '../threading/batcher.js'
import type { CallOptions, Lane } from '../threading/call-options.js'
import { startThreadPool, type PoolState } from '../threading/thread-pool.js'
import { createDecodeMemory, freeAll } from './decode-memory.js'
import { createEmbeddingCache } from './embedding-cache.js'
import type { Embedding } from './embedding.js'
import type { ImageWorkerSettings } from './image-worker.js'
import type { ModelPackage } from './model-package.js'
import { createQueues, type ImageThreads } from './queues.js'
import { startTowers, type ExecutionReport, type Towers } from './start-towers.js'
import { requireShort } from './tokenizer.js'
import type { Tuned } from './tuning.js'
import type { EncoderOptions, EncodeOptions } from './encode-options.js'

/** Bytes or text to embeddings, by the two towers of one model package. */
export interface Encoder {
  readonly model: ModelPackage
  readonly dimension: number
  encodeImage(bytes: Uint8Array, options?: EncodeOptions): Promise<Embedding>
  encodeText(text: string, options?: EncodeOptions): Promise<Embedding>
  /** The images of one request, admitted or refused (QUEUE_FULL) together; each settles by itself. */
  encodeImages(images: Uint8Array[], options?: EncodeOptions): Promise<Embedding>[]
  encodeTexts(texts: string[], options?: EncodeOptions): Promise<Embedding>[]
  /** Look-ups of the embedding cache so far. */
  readonly cacheLookups: { hit: number; miss: number }
  /** The execution providers that were asked for, and those that run the towers. */
  readonly execution: ExecutionReport
  /** How its threads and batches were chosen, and why so. */
  readonly tuning: Tuned[]
  /** A small WebP of an image. */
  thumbnail(bytes: Uint8Array, options?: AddOptions): Promise<Uint8Array>
  /** Entries that wait for a tower or a decoder. */
  readonly queued: { image: number; text: number }
  /** Milliseconds that a new entry would wait, by lane; 0 while nothing is known. */
  expectedWaitMs(lane: Lane): { image: number; text: number }
  /**
   * Resolves when the bulk lane takes images and texts, to one caller after the other: for loads that
   * wait rather than fail.
   */
  waitForCapacity(callOptions?: CallOptions): Promise<void>
  /** How its pools of threads are. */
  readonly pools: PoolState[]
  /** Finishes what was admitted, then ends the threads. May be called again. */
  close(): Promise<void>
}

/**
 * Images of the largest allowed size that are decoded at a time, however many threads there are; of smaller
 * ones more.
 */
const DECODED_AT_ONCE = 2
/**
 * What a pixel is counted at: four samples as they are in most files, and its RGB. libheif takes ten in fact.
 */
const PIXEL_BYTES = 7

/**
 * Starts the threads of a model package, warmed up, and returns its encoder. Throws when a tower can't be
 * opened.
 */
export async function createEncoder(model: ModelPackage, options: EncoderOptions): Promise<Encoder> {
  const { towers, decoders } = await startWorkers(model, options)
  const queues = createQueues(model, options, { towers, decoders })
  const cacheLookups = { hit: 0, miss: 0 }
  const cached = createEmbeddingCache({
    fingerprint: model.fingerprint,
    maxSize: options.cacheBytes,
    lookups: cacheLookups
  })
  let closed: Promise<void> | undefined
  const close = async () => {
    await queues.close()
    await Promise.all([towers.close(), decoders.close()])
  }
  const encoder: Omit<Encoder, 'dimension'> = {
    model,
    encodeTexts: (texts, encodeOptions = {}) =>
      cached(
        texts.map((text) => `text ${text}`),
        (missing) => {
          const checked = missing.map((i) => attempt(() => (requireShort(texts[i]), texts[i])))
          return addValid(queues.texts, checked, encodeOptions)
        },
        encodeOptions
      ),
    encodeImages: (images, encodeOptions = {}) => {
      const keys = images.map((bytes) => `image ${createHash('sha256').update(bytes).digest('base64')}`)
      return cached(
        keys,
        (missing) =>
          queues.images.addAll(
            missing.map((i) => ({ bytes: images[i], key: keys[i] })),
            encodeOptions
          ),
        encodeOptions
      )
    },
    encodeText: (text, encodeOptions) => encoder.encodeTexts([text], encodeOptions)[0],
    encodeImage: (bytes, encodeOptions) => encoder.encodeImages([bytes], encodeOptions)[0],
    cacheLookups,
    execution: towers.execution,
    tuning: towers.tuning,
    thumbnail: (bytes, addOptions) => queues.thumbnails.add(bytes, addOptions),
    get queued() {
      return { image: queues.images.queued, text: queues.texts.queued }
    },
    expectedWaitMs: (lane) => ({
      image: queues.images.expectedWaitMs(lane),
      text: queues.texts.expectedWaitMs(lane)
    }),
    waitForCapacity: async ({ signal } = {}) =>
      void (await Promise.all([
        queues.images.waitForCapacity('bulk', signal),
        queues.texts.waitForCapacity('bulk', signal)
      ])),
    get pools() {
      return [...towers.pools(), decoders.state]
    },
    close: () => (closed ??= close())
  }
  const { length: dimension } = await encoder.encodeText('')
  return Object.assign(encoder, { dimension })
}

/**
 * What ONNX Runtime reads from the environment; it must stand there before it is loaded, in the main thread:
 * the workers have copies. Its builds report to their maker since 1.30 unless told not to, and nothing leaves
 * a self-hosted service that its operator did not send. The binding for Node has no options of tensorrt but
 * the device.
 */
function prepareEnvironment({ cacheDir, workspaceBytes }: NonNullable<EncoderOptions['tensorrt']>): void {
  process.env.ORT_DISABLE_TELEMETRY = '1'
  if (cacheDir)
    Object.assign(process.env, { ORT_TENSORRT_ENGINE_CACHE_ENABLE: '1', ORT_TENSORRT_CACHE_PATH: cacheDir })
  if (workspaceBytes) process.env.ORT_TENSORRT_MAX_WORKSPACE_SIZE = String(workspaceBytes)
}

async function startWorkers(
  model: ModelPackage,
  options: EncoderOptions
): Promise<{ towers: Towers; decoders: ImageThreads }> {
  prepareEnvironment(options.tensorrt ?? { cacheDir: '', workspaceBytes: 0 })
  const towers = await startTowers(model, options)
  const memory = createDecodeMemory(DECODED_AT_ONCE * options.limits.maxPixels * PIXEL_BYTES)
  const workerData: ImageWorkerSettings = {
    preprocessing: model.preprocessing,
    limits: options.limits,
    memory
  }
  const onDeath = (error: Error) => {
    freeAll(memory)
    options.onWorkerDeath?.(error)
  }
  try {
    return {
      towers,
      decoders: await startThreadPool(new URL('./image-worker.js', import.meta.url), {
        name: 'image decoders',
        count: options.imageWorkers,
        workerData,
        onDeath
      })
    }
  } catch (error) {
    await towers.close()
    throw error
  }
}

function attempt<T>(make: () => T): { value: T } | { error: unknown } {
  try {
    return { value: make() }
  } catch (error) {
    return { error }
  }
}

/** Adds the items that could be made, as one request; the others reject with what stopped them. */
function addValid<T, R>(
  batcher: Batcher<T, R>,
  items: ({ value: T } | { error: unknown })[],
  options: AddOptions
): Promise<R>[] {
  const valid = items.flatMap((item) => ('value' in item ? [item.value] : []))
  const added = batcher.addAll(valid, options).values()
  return items.map((item) => ('value' in item ? added.next().value! : Promise.reject(item.error)))
}
