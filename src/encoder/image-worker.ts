import { workerData } from 'node:worker_threads'
import { handler, reportReady } from '../threads.js'
import { decodeImage, type ImageLimits } from './decode-image.js'
import { preprocess } from './preprocess.js'
import type { Preprocessing } from './preprocessing.js'
import { makeThumbnail } from './thumbnail.js'

/** What an image thread starts from. */
export interface ImageWorkerSettings {
  preprocessing: Preprocessing
  limits: ImageLimits
}

// A worker thread that decodes and preprocesses: a picture of 12 megapixels never crosses threads, its crop does.
const { preprocessing, limits } = workerData as ImageWorkerSettings

/** Image bytes to the vision tower's crop, 8-bit interleaved RGB. */
export const crop = handler(async (bytes: Uint8Array) => preprocess(await decodeImage(bytes, limits), preprocessing).data)
/** Image bytes to the bytes of a WebP thumbnail. */
export const thumbnail = handler(async (bytes: Uint8Array) => makeThumbnail(await decodeImage(bytes, limits)))

reportReady()
