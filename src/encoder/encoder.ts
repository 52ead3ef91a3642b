import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { Batcher, type Lane } from '../batcher.js'
import { isPublicError } from '../errors.js'
import { startThreads, type Threads } from '../threads.js'
import type { ImageLimits } from './decode-image.js'
import type { Embedding } from './embedding.js'
import type { ImageWorkerSettings } from './image-worker.js'
import type { ModelPackage } from './model-package.js'
import type { ExecutionProvider } from './session.js'
import { startTowers, type ExecutionOptions, type ExecutionReport, type TowerThreads } from './start-towers.js'
import { requireShort } from './tokenizer.js'

export interface EncoderOptions extends ExecutionOptions {
  imageWorkers: number
  /** Images in one run of the tower, at most; 0 is a number that suits the provider. */
  imageBatchSize: number
  textBatchSize: number
  batchDelayMs: number
  /** Waiting images, and waiting texts, at which a request is rejected. */
  queueSize: number
  /** Memory for cached embeddings, in bytes; 0 turns the cache off. */
  cacheBytes: number
  limits: ImageLimits
  /** Told of each run of a tower. */
  onTowerRun?: (run: TowerRun) => void
}

export interface TowerRun {
  model: string
  tower: 'image' | 'text'
  provider: ExecutionProvider
  /** Images or texts in the batch. */
  batch: number
  seconds: number
}

export interface EncodeOptions {
  lane?: Lane
  signal?: AbortSignal
  /** Where the stages of this request add the milliseconds they took. */
  timings?: StageTimings
}

/** Milliseconds by stage: waiting in queues, and decoding with preprocessing; the rest is the tower's. */
export interface StageTimings {
  queue: number
  decode: number
}

/** Bytes or text to embeddings, by the two towers of one model package. */
export interface Encoder {
  readonly model: ModelPackage
  readonly dimension: number
  encodeImage(bytes: Uint8Array, options?: EncodeOptions): Promise<Embedding>
  encodeText(text: string, options?: EncodeOptions): Promise<Embedding>
  /** The images of one request, admitted or refused (QUEUE_FULL) together; each settles by itself. */
  encodeImages(images: Uint8Array[], options?: EncodeOptions): Promise<Embedding>[]
  encodeTexts(texts: string[], options?: EncodeOptions): Promise<Embedding>[]
  /** Tokens of texts that the model reads, special ones included. */
  countTokens(texts: string[]): Promise<number>
  /** Look-ups of the embedding cache so far. */
  readonly cacheLookups: { hit: number; miss: number }
  /** The execution providers that were asked for, and those that run the towers. */
  readonly execution: ExecutionReport
  /** A small WebP of an image. */
  thumbnail(bytes: Uint8Array): Promise<Uint8Array>
  /** Entries that wait for a tower or a decoder. */
  readonly queued: { image: number; text: number }
  /** Finishes what was admitted, then ends the threads. May be called again. */
  close(): Promise<void>
}

/** Texts share a batch when their lengths fall into the same step, some eight tokens: so much is padding at most. */
const CHARACTERS_PER_BUCKET = 36
/** From here on texts are cut to the tower's longest sequence anyway. */
const LAST_BUCKET = 10

/** Batches on the CPU stay near 100 ms; a GPU is filled by more. */
const CPU_IMAGE_BATCH = 4
const GPU_IMAGE_BATCH = 32

/** Starts the threads of a model package, warmed up, and returns its encoder. Throws when a tower can't be opened. */
export async function createEncoder(model: ModelPackage, options: EncoderOptions): Promise<Encoder> {
  const workers = await startWorkers(model, options)
  const { towers, decoders, execution } = workers
  const { textBatcher, cropBatcher, imageQueue } = createQueues(model, options, workers)
  const cacheLookups = { hit: 0, miss: 0 }
  const cached = embeddingCache({ fingerprint: model.fingerprint, maxSize: options.cacheBytes, lookups: cacheLookups })
  let closed: Promise<void> | undefined
  const close = async () => {
    await Promise.all([imageQueue.close(), textBatcher.close()])
    await cropBatcher.close()
    await Promise.all([towers.close(), decoders.close()])
  }
  const encoder: Omit<Encoder, 'dimension'> = {
    model,
    encodeTexts: (texts, encodeOptions = {}) =>
      cached(texts.map((text) => `text ${text}`), (missing) => {
        const checked = missing.map((i) => attempt(() => (requireShort(texts[i]), texts[i])))
        return addValid(textBatcher, checked, toAddOptions(encodeOptions))
      }),
    encodeImages: (images, encodeOptions = {}) =>
      cached(images.map((bytes) => `image ${createHash('sha256').update(bytes).digest('base64')}`), (missing) =>
        imageQueue.addAll(missing.map((i) => ({ bytes: images[i], options: encodeOptions })), toAddOptions(encodeOptions))
      ),
    encodeText: (text, encodeOptions) => encoder.encodeTexts([text], encodeOptions)[0],
    encodeImage: (bytes, encodeOptions) => encoder.encodeImages([bytes], encodeOptions)[0],
    countTokens: (texts) => towers.call('countTokens', texts),
    cacheLookups,
    execution,
    thumbnail: (bytes) => decoders.call('thumbnail', bytes),
    get queued() {
      return { image: imageQueue.queued, text: textBatcher.queued }
    },
    close: () => (closed ??= close())
  }
  const { length: dimension } = await encoder.encodeText('')
  return Object.assign(encoder, { dimension })
}

interface Workers {
  towers: TowerThreads
  towerWorkers: number
  execution: ExecutionReport
  decoders: Threads<typeof import('./image-worker.js')>
}

/**
 * What ONNX Runtime reads from the environment; it must stand there before it is loaded, in the main thread: the workers
 * have copies. Its builds report to their maker since 1.30 unless told not to, and nothing leaves a self-hosted service
 * that its operator did not send. The binding for Node has no options of tensorrt but the device.
 */
function prepareEnvironment({ cacheDir, workspaceBytes }: NonNullable<EncoderOptions['tensorrt']>): void {
  process.env.ORT_DISABLE_TELEMETRY = '1'
  if (cacheDir) Object.assign(process.env, { ORT_TENSORRT_ENGINE_CACHE_ENABLE: '1', ORT_TENSORRT_CACHE_PATH: cacheDir })
  if (workspaceBytes) process.env.ORT_TENSORRT_MAX_WORKSPACE_SIZE = String(workspaceBytes)
}

async function startWorkers(model: ModelPackage, options: EncoderOptions): Promise<Workers> {
  prepareEnvironment(options.tensorrt ?? { cacheDir: '', workspaceBytes: 0 })
  const { threads: towers, workers: towerWorkers, execution } = await startTowers(model, options)
  const workerData: ImageWorkerSettings = { preprocessing: model.preprocessing, limits: options.limits }
  try {
    const decoders: Workers['decoders'] = await startThreads(new URL('./image-worker.js', import.meta.url), { count: options.imageWorkers, workerData, onDeath: options.onWorkerDeath })
    return { towers, towerWorkers, execution, decoders }
  } catch (error) {
    await towers.close()
    throw error
  }
}

interface ImageEntry {
  bytes: Uint8Array
  options: EncodeOptions
}

/**
 * The queues. Texts wait for a tower. Images wait, as bytes, for one of a few slots: a slot is held from the decoder to
 * the embedding, so that few decoded images are in memory however many wait. Within the slots they wait for a decoder
 * and for a tower. Each queue has its lanes.
 */
function createQueues(model: ModelPackage, options: EncoderOptions, { towers, towerWorkers, execution, decoders }: Workers) {
  const tower = { maxDelayMs: options.batchDelayMs, concurrency: towerWorkers, maxQueueSize: options.queueSize, retryAlone }
  const imageBatchSize = options.imageBatchSize || (execution.towers.image.provider === 'cpu' ? CPU_IMAGE_BATCH : GPU_IMAGE_BATCH)
  const timed = async <T>(name: TowerRun['tower'], batch: number, run: Promise<T>) => {
    const startedAt = performance.now()
    const result = await run
    options.onTowerRun?.({ model: model.name, tower: name, provider: execution.towers[name].provider, batch, seconds: (performance.now() - startedAt) / 1000 })
    return result
  }
  const textBatcher = new Batcher<string, Embedding>({
    ...tower,
    run: (texts) => timed('text', texts.length, towers.call('encodeTexts', texts)),
    maxBatchSize: options.textBatchSize,
    bucket: ({ length }) => Math.min(LAST_BUCKET, Math.ceil(length / CHARACTERS_PER_BUCKET))
  })
  const cropBatcher = new Batcher<Uint8Array, Embedding>({
    ...tower,
    maxQueueSize: Infinity,
    run: (crops) => timed('image', crops.length, towers.call('encodeImages', crops)),
    maxBatchSize: imageBatchSize
  })
  const single = { maxBatchSize: 1, maxDelayMs: 0 }
  const decodeBatcher = new Batcher<ImageEntry, Uint8Array>({
    ...single,
    run: async ([{ bytes, options: encodeOptions }]) => {
      const startedAt = performance.now()
      const crop = await decoders.call('crop', bytes)
      if (encodeOptions.timings) encodeOptions.timings.decode += performance.now() - startedAt
      return [crop]
    },
    concurrency: options.imageWorkers,
    maxQueueSize: Infinity
  })
  const imageQueue = new Batcher<ImageEntry, Embedding>({
    ...single,
    run: async ([entry]) => {
      const crop = await decodeBatcher.add(entry, toAddOptions(entry.options))
      return [await cropBatcher.add(crop, toAddOptions(entry.options))]
    },
    // Every tower worker's batch, once running and once being decoded, and the decoders' own.
    concurrency: 2 * towerWorkers * imageBatchSize + options.imageWorkers,
    maxQueueSize: options.queueSize
  })
  return { textBatcher, cropBatcher, imageQueue }
}

/** A batch that failed in a living worker is run again one by one; one that killed its worker is not. */
function retryAlone(error: unknown): boolean {
  return !(isPublicError(error) && error.code === 'WORKER_DIED')
}

function toAddOptions({ lane, signal, timings }: EncodeOptions) {
  return { lane, signal, ...(timings && { onStart: (waitedMs: number) => void (timings.queue += waitedMs) }) }
}

function attempt<T>(make: () => T): { value: T } | { error: unknown } {
  try {
    return { value: make() }
  } catch (error) {
    return { error }
  }
}

/** Adds the items that could be made, as one request; the others reject with what stopped them. */
function addValid<T, R>(batcher: Batcher<T, R>, items: ({ value: T } | { error: unknown })[], options: { lane?: Lane; signal?: AbortSignal }): Promise<R>[] {
  const valid = items.flatMap((item) => ('value' in item ? [item.value] : []))
  const added = batcher.addAll(valid, options).values()
  return items.map((item) => ('value' in item ? added.next().value! : Promise.reject(item.error)))
}

type EncodeMissing = (missing: number[]) => Promise<Embedding>[]

/** Looks keys up in an LRU of embeddings, has those missing encoded, and keeps what comes. */
function embeddingCache({ fingerprint, maxSize, lookups }: { fingerprint: string; maxSize: number; lookups: Encoder['cacheLookups'] }): (keys: string[], encode: EncodeMissing) => Promise<Embedding>[] {
  if (maxSize === 0) return (keys, encode) => encode([...keys.keys()])
  const cache = new LRUCache<string, Embedding>({ maxSize, sizeCalculation: (embedding, key) => embedding.byteLength + 2 * key.length })
  return (inputs, encode) => {
    const keys = inputs.map((input) => `${fingerprint} ${input}`)
    const hits = keys.map((key) => cache.get(key))
    const missing = [...keys.keys()].filter((i) => !hits[i])
    lookups.miss += missing.length
    lookups.hit += keys.length - missing.length
    const encoded = missing.length > 0 ? encode(missing).values() : [].values()
    return hits.map((hit, i) => (hit ? Promise.resolve(hit) : encoded.next().value!.then((embedding: Embedding) => {
      cache.set(keys[i], embedding)
      return embedding
    })))
  }
}
