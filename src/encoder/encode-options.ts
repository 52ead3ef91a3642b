import type { OnStep } from '../telemetry/stages.js'
import type { AddOptions } from '../threading/batcher.js'
import type { Lane } from '../threading/call-options.js'
import type { ImageLimits } from './decode-image.js'
import type { ExecutionProvider } from './execution-profile.js'
import type { ExecutionOptions } from './start-towers.js'

export interface EncoderOptions extends ExecutionOptions {
  imageWorkers: number
  batchDelayMs: number
  /** Waiting images, and waiting texts, of a lane at which a request is rejected. */
  queueSize: number
  /** Expected wait by lane, in milliseconds, over which a request is rejected; 0 sets no bound. */
  maxWaitMs?: Record<Lane, number>
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

export interface EncodeOptions extends AddOptions {
  /** Told what the encoding went through; not where an embedding was kept from before. */
  onStep?: OnStep
  /** Where the tokens of its texts are added that the model read, special ones included. */
  usage?: { tokens: number }
  /**
   * Where a digest of the tokens of each text is put, by its position: texts that are the same to the model
   * share it.
   */
  digests?: string[]
}
