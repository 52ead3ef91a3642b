import { readFileSync } from 'node:fs'
import { imageUrlHosts, MIB, type Config } from '../config.js'
import { createImageFetcher, type ImageFetcher } from './image-fetcher.js'

/** The fetcher that the configuration asks for, if any. */
export function openImageFetcher(config: Config): ImageFetcher | undefined {
  if (!config.IMAGE_URLS) return undefined
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return createImageFetcher({
    hosts: imageUrlHosts(config),
    nameServers: config.IMAGE_URL_NAME_SERVERS,
    maxBytes: config.MAX_IMAGE_MIB * MIB,
    timeoutMs: config.IMAGE_URL_TIMEOUT_MS,
    redirects: config.IMAGE_URL_REDIRECTS,
    concurrency: { overall: config.IMAGE_URL_CONCURRENCY, perHost: config.IMAGE_URL_HOST_CONCURRENCY },
    maxWaiting: config.QUEUE_SIZE,
    userAgent: `Semblance/${version}`
  })
}
