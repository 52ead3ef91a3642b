import { workerData } from 'node:worker_threads'
import { handler, reportReady } from '../threading/thread-pool.js'
import { decodeImage, decodeWithAlpha, type ImageLimits } from './decode-image.js'
import { withMemory, type DecodeMemory } from './decode-memory.js'
import { neededSize, preprocess } from './preprocess.js'
import type { Preprocessing } from './preprocessing.js'
import { makeThumbnail, THUMBNAIL_SIZE } from './thumbnail.js'

/** What an image thread starts from. */
export interface ImageWorkerSettings {
  preprocessing: Preprocessing
  limits: ImageLimits
  /** Shared by all image threads of a model. */
  memory: DecodeMemory
}

// A worker thread that decodes and preprocesses: a picture of 12 megapixels never crosses threads, its crop
// does.
const { preprocessing, limits, memory } = workerData as ImageWorkerSettings

/** The vision tower's input of one image: 8-bit interleaved RGB, and the milliseconds that each step took. */
export interface Crop {
  data: Uint8Array
  decode: number
  preprocess: number
}

/** Decodes an image and uses its pixels, in memory that is reserved until both are done. */
function usePixels<P, T>(
  decode: (limits: ImageLimits) => Promise<P>,
  use: (pixels: P) => T | Promise<T>
): Promise<T> {
  return withMemory(memory, async (reserve) => use(await decode({ ...limits, reserve })))
}

/** Image bytes to the vision tower's crop. */
export const crop = handler((bytes: Uint8Array): Promise<Crop> => {
  const startedAt = performance.now()
  return usePixels(
    (within) => decodeImage(bytes, within, neededSize(preprocessing)),
    (pixels) => {
      const decodedAt = performance.now()
      const { data } = preprocess(pixels, preprocessing)
      return { data, decode: decodedAt - startedAt, preprocess: performance.now() - decodedAt }
    }
  )
})
/** Image bytes to the bytes of a WebP thumbnail. */
export const thumbnail = handler((bytes: Uint8Array) =>
  usePixels(
    (within) => decodeWithAlpha(bytes, within, { width: THUMBNAIL_SIZE, height: THUMBNAIL_SIZE }),
    (pixels) => makeThumbnail(pixels, bytes)
  )
)

reportReady()
