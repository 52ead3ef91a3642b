import { Batcher, type AddOptions, type Batch } from '../batcher.js'
import { isPublicError } from '../errors.js'
import type { Threads } from '../threads.js'
import type { Embedding } from './embedding.js'
import type { EncoderOptions, StageTimings, TowerRun } from './encoder.js'
import type { Crop } from './image-worker.js'
import type { ModelPackage } from './model-package.js'
import type { Towers } from './start-towers.js'

export type ImageThreads = Threads<typeof import('./image-worker.js')>

/** An embedding, the tokens that the model read for it, and where it was not kept from before, what it took. */
export interface Encoded {
  embedding: Embedding
  tokens: number
  took?: StageTimings
}

/** Bytes of an image, and what tells it from others. */
export interface ImageItem {
  bytes: Uint8Array
  key: string
}

export interface Queues {
  texts: Batcher<string, Encoded>
  images: Batcher<ImageItem, Encoded>
  /** Finishes what was admitted. */
  close(): Promise<void>
}

/** Texts share a batch when their lengths differ by no more characters, some eight tokens: so much is padding at most. */
const LIKE_LENGTHS = 36
/** From here on texts are cut to the tower's longest sequence anyway. */
const LONGEST = 360
const lengthOf = (text: string) => Math.min(LONGEST, text.length)

/** Waits for a run of a tower, and reports how long it took. */
type Timed = <T>(tower: TowerRun['tower'], batch: number, run: Promise<T>) => Promise<T>

/** The queues in front of an encoder's threads. Each has its lanes, and a place for those that someone waits for. */
export function createQueues(model: ModelPackage, options: EncoderOptions, threads: { towers: Towers; decoders: ImageThreads }): Queues {
  const { execution } = threads.towers
  const timed: Timed = async (tower, batch, run) => {
    const startedAt = performance.now()
    const result = await run
    options.onTowerRun?.({ model: model.name, tower, provider: execution.towers[tower].provider, batch, seconds: (performance.now() - startedAt) / 1000 })
    return result
  }
  const texts = textQueue(options, threads.towers, timed)
  const { images, crops } = imageQueues(options, threads, timed)
  return {
    texts,
    images,
    close: async () => {
      await Promise.all([images.close(), texts.close()])
      await crops.close()
    }
  }
}

function towerSlots({ batchDelayMs: maxDelayMs }: EncoderOptions, { workers: concurrency, express }: Towers) {
  return { maxDelayMs, concurrency, express, retryAlone }
}

/** Texts wait for a tower; equal ones are encoded once. */
function textQueue(options: EncoderOptions, towers: Towers, timed: Timed): Queues['texts'] {
  return new Batcher<string, Encoded>({
    ...towerSlots(options, towers),
    run: async (texts, { express, waited }) => {
      const result = await timed('text', texts.length, towers.threads({ express }).call('encodeTexts', texts))
      return result.map((encoded, i) => ({ ...encoded, took: { queue: waited[i], decode: 0, preprocess: 0 } }))
    },
    maxBatchSize: towers.batchSizes.text,
    maxQueueSize: options.queueSize,
    fits: (text, oldest) => Math.abs(lengthOf(text) - lengthOf(oldest)) <= LIKE_LENGTHS,
    key: (text) => text
  })
}

/**
 * Images wait, as bytes, for one of a few slots: a slot is held from the decoder to the embedding, so that few decoded
 * images are in memory however many wait. Within the slots they wait for a decoder and for a tower.
 */
function imageQueues(options: EncoderOptions, { towers, decoders }: { towers: Towers; decoders: ImageThreads }, timed: Timed) {
  const single = { maxBatchSize: 1, maxDelayMs: 0 }
  const crops = new Batcher<Uint8Array, Pick<Encoded, 'embedding'> & { queue: number }>({
    ...towerSlots(options, towers),
    maxQueueSize: Infinity,
    run: async (batch, { express, waited }) => {
      const result = await timed('image', batch.length, towers.threads({ express }).call('encodeImages', batch))
      return result.map((embedding, i) => ({ embedding, queue: waited[i] }))
    },
    maxBatchSize: towers.batchSizes.image
  })
  const decoded = new Batcher<Uint8Array, Crop & { queue: number }>({
    ...single,
    run: async ([bytes], { waited: [queue] }) => [{ ...(await decoders.call('crop', bytes)), queue }],
    concurrency: options.imageWorkers,
    express: towers.express,
    maxQueueSize: Infinity
  })
  const images = new Batcher<ImageItem, Encoded>({
    ...single,
    run: async ([{ bytes }], { lane, signal, waited }: Batch) => {
      const wait: AddOptions = { lane, signal }
      const crop = await decoded.add(bytes, wait)
      const { embedding, queue } = await crops.add(crop.data, wait)
      return [{ embedding, tokens: 0, took: { queue: waited[0] + crop.queue + queue, decode: crop.decode, preprocess: crop.preprocess } }]
    },
    // Every tower worker's batch, once running and once being decoded, and the decoders' own.
    concurrency: 2 * towers.workers * towers.batchSizes.image + options.imageWorkers,
    express: towers.express,
    maxQueueSize: options.queueSize,
    key: ({ key }) => key
  })
  return { images, crops }
}

/** A batch that failed in a living worker is run again one by one; one that killed its worker is not. */
function retryAlone(error: unknown): boolean {
  return !(isPublicError(error) && error.code === 'WORKER_DIED')
}
