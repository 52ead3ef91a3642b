import { LRUCache } from 'lru-cache'
import { Batcher } from '../threading/batcher.js'
import type { CallOptions, Lane } from '../threading/call-options.js'
import type { ImageStore } from '../collections/stores/image-store.js'
import type { Encoder } from '../encoder/encoder.js'
import { sharedKey } from '../threading/shared-key.js'

export interface ThumbnailsOptions {
  images: Pick<ImageStore, 'read'>
  /** Makes a small WebP of an image's bytes. */
  make: Encoder['thumbnail']
  /** Memory for those that were made, in bytes; 0 keeps none. */
  cacheBytes: number
  /** Images that are read and decoded at a time. */
  concurrency: number
  /** Images that wait, at which a request is rejected. */
  queueSize: number
  maxWaitMs?: Record<Lane, number>
}

/** Thumbnails of kept images, made when they are asked for. */
export interface Thumbnails {
  /**
   * The WebP; undefined when the image is not there any more. Throws QUEUE_FULL, and the decoder's errors.
   */
  get(sha256: string, callOptions?: CallOptions): Promise<Uint8Array | undefined>
  /** Finishes what was admitted. */
  close(): Promise<void>
}

/**
 * Makes thumbnails behind a queue of their own, and keeps the last ones in memory. What waits is only named:
 * an image is read when it is its turn, so that the images of a whole page in wait take no memory.
 */
export function createThumbnails({
  images,
  make,
  cacheBytes,
  concurrency,
  queueSize,
  maxWaitMs
}: ThumbnailsOptions): Thumbnails {
  const cache =
    cacheBytes > 0
      ? new LRUCache<string, Uint8Array>({
          maxSize: cacheBytes,
          sizeCalculation: (bytes, key) => bytes.length + 2 * key.length
        })
      : undefined
  const queue = new Batcher<{ key: string; sha256: string }, Uint8Array | undefined>({
    run: async ([{ key, sha256 }], { lane, signal }) => {
      const bytes = await images.read(sha256)
      const thumbnail = bytes && (await make(bytes, { lane, signal }))
      if (thumbnail) cache?.set(key, thumbnail)
      return [thumbnail]
    },
    maxBatchSize: 1,
    maxDelayMs: 0,
    concurrency,
    maxQueueSize: queueSize,
    maxWaitMs,
    key: ({ key }) => key
  })
  return {
    get: async (sha256, callOptions) => {
      const key = sharedKey(sha256, callOptions?.sharing)
      return cache?.get(key) ?? queue.add({ key, sha256 }, callOptions)
    },
    close: () => queue.close()
  }
}
