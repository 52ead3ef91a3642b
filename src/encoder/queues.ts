import { Batcher, type AddOptions, type Batch } from '../threading/batcher.js'
import { isTransient } from '../errors.js'
import type { Step } from '../telemetry/stages.js'
import type { ThreadPool } from '../threading/thread-pool.js'
import type { Embedding } from './embedding.js'
import type { ModelPackage } from './model-package.js'
import type { Towers } from './start-towers.js'
import type { EncoderOptions, TowerRun } from './encode-options.js'

export type ImageThreads = ThreadPool<typeof import('./image-worker.js')>

/**
 * An embedding, the tokens that the model read for it, and where it was not kept from before, what it went
 * through.
 */
export interface Encoded {
  embedding: Embedding
  tokens: number
  /** Of these tokens; texts that are the same to the model share it. */
  digest?: string
  took?: Step[]
}

/** Bytes of an image, and what tells it from others. */
export interface ImageItem {
  bytes: Uint8Array
  key: string
}

export interface Queues {
  texts: Batcher<string, Encoded>
  images: Batcher<ImageItem, Encoded>
  /** Images that wait to be made small; its bound is that of the writes they are for. */
  thumbnails: Batcher<Uint8Array, Uint8Array>
  /** Finishes what was admitted. */
  close(): Promise<void>
}

/**
 * Texts share a batch when their lengths differ by no more characters, some eight tokens: so much is padding
 * at most.
 */
const LIKE_LENGTHS = 36
/** From here on texts are cut to the tower's longest sequence anyway. */
const LONGEST = 360
const lengthOf = (text: string) => Math.min(LONGEST, text.length)

/** What is not gathered, only kept waiting. */
const SINGLE = { maxBatchSize: 1, maxDelayMs: 0 }

/** Waits for a run of a tower, and reports how long it took. */
type Timed = <T>(
  tower: TowerRun['tower'],
  batch: number,
  run: Promise<T>
) => Promise<{ result: T; step: Step }>

/** The wait that ends at a moment. */
const waitUntil = (now: number, ms: number): Step => ({ stage: 'queue', at: now - ms, ms })

/**
 * The queues in front of an encoder's threads. Each has its lanes, and a place for those that someone waits
 * for.
 */
export function createQueues(
  model: ModelPackage,
  options: EncoderOptions,
  threads: { towers: Towers; decoders: ImageThreads }
): Queues {
  const { execution } = threads.towers
  const timed: Timed = async (tower, batch, run) => {
    const startedAt = performance.now()
    const result = await run
    const ms = performance.now() - startedAt
    const { provider } = execution.towers[tower]
    options.onTowerRun?.({ model: model.name, tower, provider, batch, seconds: ms / 1000 })
    return {
      result,
      step: {
        stage: 'encode',
        at: startedAt,
        ms,
        attributes: {
          'semblance.model': model.name,
          'semblance.tower': tower,
          'semblance.execution_provider': provider,
          'semblance.batch_size': batch
        }
      }
    }
  }
  const texts = textQueue(options, threads.towers, timed)
  const { images, crops } = imageQueues(options, threads, timed)
  const thumbnails = new Batcher<Uint8Array, Uint8Array>({
    ...SINGLE,
    run: async ([bytes]) => [await threads.decoders.call('thumbnail', bytes)],
    concurrency: options.imageWorkers,
    maxQueueSize: Infinity
  })
  return {
    texts,
    images,
    thumbnails,
    close: async () => {
      await Promise.all([images.close(), texts.close(), thumbnails.close()])
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
      const { result, step } = await timed(
        'text',
        texts.length,
        towers.threads({ express }).call('encodeTexts', texts)
      )
      return result.map((encoded, i) => ({ ...encoded, took: [waitUntil(step.at, waited[i]), step] }))
    },
    maxBatchSize: towers.batchSizes.text,
    maxQueueSize: options.queueSize,
    maxWaitMs: options.maxWaitMs,
    fits: (text, oldest) => Math.abs(lengthOf(text) - lengthOf(oldest)) <= LIKE_LENGTHS,
    key: (text) => text
  })
}

/**
 * Images wait, as bytes, for one of a few slots: a slot is held from the decoder to the embedding, so that
 * few decoded images are in memory however many wait. Within the slots they wait for a decoder and for a
 * tower.
 */
function imageQueues(
  options: EncoderOptions,
  { towers, decoders }: { towers: Towers; decoders: ImageThreads },
  timed: Timed
) {
  const crops = new Batcher<Uint8Array, { embedding: Embedding; steps: Step[] }>({
    ...towerSlots(options, towers),
    maxQueueSize: Infinity,
    run: async (batch, { express, waited }) => {
      const { result, step } = await timed(
        'image',
        batch.length,
        towers.threads({ express }).call('encodeImages', batch)
      )
      return result.map((embedding, i) => ({ embedding, steps: [waitUntil(step.at, waited[i]), step] }))
    },
    maxBatchSize: towers.batchSizes.image
  })
  const decoded = new Batcher<Uint8Array, { data: Uint8Array; steps: Step[] }>({
    ...SINGLE,
    run: async ([bytes], { waited: [waited] }) => {
      const at = performance.now()
      const { data, decode, preprocess } = await decoders.call('crop', bytes)
      return [
        {
          data,
          steps: [
            waitUntil(at, waited),
            { stage: 'decode', at, ms: decode },
            { stage: 'preprocess', at: at + decode, ms: preprocess }
          ]
        }
      ]
    },
    concurrency: options.imageWorkers,
    express: towers.express,
    maxQueueSize: Infinity
  })
  const images = new Batcher<ImageItem, Encoded>({
    ...SINGLE,
    tellsBegun: true,
    run: async ([{ bytes }], { lane, signal, waited, onBegun }: Batch) => {
      const wait: AddOptions = { lane, signal }
      const waiting = waitUntil(performance.now(), waited[0])
      const { data, steps } = await decoded.add(bytes, wait)
      const encoded = await crops.add(data, { ...wait, onBegun })
      return [{ embedding: encoded.embedding, tokens: 0, took: [waiting, ...steps, ...encoded.steps] }]
    },
    // Every tower worker's batch, once running and once being decoded, and the decoders' own.
    concurrency: 2 * towers.workers * towers.batchSizes.image + options.imageWorkers,
    express: towers.express,
    maxQueueSize: options.queueSize,
    maxWaitMs: options.maxWaitMs,
    key: ({ key }) => key
  })
  return { images, crops }
}

/**
 * A batch that failed in a living worker is run again one by one; one that killed its worker, or met none, is
 * not.
 */
function retryAlone(error: unknown): boolean {
  return !isTransient(error)
}
