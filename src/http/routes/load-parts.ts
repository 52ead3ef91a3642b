import type { FastifyRequest } from 'fastify'
import { MIB } from '../../config.js'
import type { QueryPart } from '../../records/query.js'
import { imageLoader } from './load-images.js'
import type { QueryBody } from './search-schemas.js'
import type { Services } from './services.js'

/**
 * The parts of a query with the bytes of their images, wherever these come from. Throws what the loader of
 * images does.
 */
export function loadParts(
  services: Pick<Services, 'config' | 'imageUrls' | 'metrics'>,
  request: Pick<FastifyRequest, 'callOptions' | 'log'>,
  query: QueryBody
): Promise<QueryPart[]> {
  const load = imageLoader(services, request, {
    lane: 'interactive',
    totalBytes: services.config.MAX_IMAGE_MIB * MIB
  })
  return Promise.all(
    [query]
      .flat()
      .map(async ({ image, ...part }): Promise<QueryPart> => ({
        ...part,
        ...(image && { image: await load(image) })
      }))
  )
}
