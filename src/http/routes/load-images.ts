import type { FastifyRequest } from 'fastify'
import type { Lane } from '../../threading/call-options.js'
import { MIB } from '../../config.js'
import { ImageUrlsDisabled } from '../../errors.js'
import { outcomeOf } from '../../image-urls/image-fetcher.js'
import type { ByteBudget } from '../../image-urls/receive.js'
import type { ImageBody } from '../schemas.js'
import { imageBytes } from './image-body.js'
import type { Services } from './services.js'

export interface LoadOptions {
  /**
   * Images of the bulk lane fail one by one; of the others the request needs all, and the first to fail stops
   * the rest.
   */
  lane: Lane
  /**
   * What the images that one request names by url may take together; as much as its body might, had it
   * brought them.
   */
  totalBytes: number
  /** Whether a full queue is waited in: bulk loads bound by themselves how many they fetch. */
  waits?: boolean
}

/** The bytes of an image, wherever they come from. */
export type LoadImage = (image: ImageBody) => Promise<Uint8Array>

/**
 * Makes the loader of one request's images. It throws what `imageBytes` does, and for urls
 * IMAGE_URLS_DISABLED, QUEUE_FULL where too many wait, and the fetcher's errors.
 */
export function imageLoader(
  { config, imageUrls, metrics }: Pick<Services, 'config' | 'imageUrls' | 'metrics'>,
  { callOptions, log }: Pick<FastifyRequest, 'callOptions' | 'log'>,
  { lane, totalBytes, waits = false }: LoadOptions
): LoadImage {
  const budget: ByteBudget = { left: totalBytes, total: totalBytes }
  let isAdmitted = waits
  const stop = new AbortController()
  const signal = AbortSignal.any([callOptions.signal, stop.signal])
  return async (image) => {
    if (image instanceof Uint8Array || image.url === undefined)
      return imageBytes(image, config.MAX_IMAGE_MIB * MIB)
    if (!imageUrls) throw new ImageUrlsDisabled()
    // A request is let in as a whole.
    if (!isAdmitted) imageUrls.requireRoom()
    isAdmitted = true
    const startedAt = performance.now()
    const told = (outcome: ReturnType<typeof outcomeOf>, bytesOrError: object) => {
      const ms = performance.now() - startedAt
      metrics.observeImageFetch(outcome, ms / 1000)
      log[outcome === 'fetched' ? 'debug' : 'info'](
        { url: shown(image.url!), outcome, ms: Math.round(ms), ...bytesOrError },
        'image by url'
      )
    }
    try {
      const bytes = await imageUrls.fetch(image.url, { lane, signal, budget })
      told('fetched', { bytes: bytes.length })
      return bytes
    } catch (error) {
      const { code, message, cause } = error as Error & { code?: string; cause?: { code?: string } }
      told(signal.aborted ? 'abandoned' : outcomeOf(error), { code, reason: message, cause: cause?.code })
      if (lane === 'interactive') stop.abort(error)
      throw error
    }
  }
}

/** As an url may be logged: queries hold signatures, and before the host credentials may stand. */
function shown(url: string): string {
  if (!URL.canParse(url)) return ''
  const { protocol, host, pathname } = new URL(url)
  return /^https?:$/.test(protocol) ? `${protocol}//${host}${pathname}`.slice(0, 500) : protocol
}
