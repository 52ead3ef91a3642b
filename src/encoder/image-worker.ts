import { workerData } from 'node:worker_threads'
import { handler, reportReady } from '../threads.js'
import { decodeImage, type ImageLimits } from './decode-image.js'
import { neededSize, preprocess } from './preprocess.js'
import type { Preprocessing } from './preprocessing.js'
import { makeThumbnail, THUMBNAIL_SIZE } from './thumbnail.js'

/** What an image thread starts from. */
export interface ImageWorkerSettings {
  preprocessing: Preprocessing
  limits: ImageLimits
}

// A worker thread that decodes and preprocesses: a picture of 12 megapixels never crosses threads, its crop does.
const { preprocessing, limits } = workerData as ImageWorkerSettings

/** The vision tower's input of one image: 8-bit interleaved RGB, and the milliseconds that each step took. */
export interface Crop {
  data: Uint8Array
  decode: number
  preprocess: number
}

/** Image bytes to the vision tower's crop. */
export const crop = handler(async (bytes: Uint8Array): Promise<Crop> => {
  const startedAt = performance.now()
  const pixels = await decodeImage(bytes, limits, neededSize(preprocessing))
  const decodedAt = performance.now()
  const { data } = preprocess(pixels, preprocessing)
  return { data, decode: decodedAt - startedAt, preprocess: performance.now() - decodedAt }
})
/** Image bytes to the bytes of a WebP thumbnail. */
export const thumbnail = handler(async (bytes: Uint8Array) => makeThumbnail(await decodeImage(bytes, limits, { width: THUMBNAIL_SIZE, height: THUMBNAIL_SIZE })))

reportReady()
