import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { MIB } from '../../config.js'
import { ImageNotKept, RecordNotFound } from '../../errors.js'
import { maxWaitMs } from '../../encoder/load-models.js'
import { throwIfAborted } from '../deadlines.js'
import { RecordParams, responses } from '../schemas.js'
import { createThumbnails } from '../../records/thumbnails.js'
import type { App, Services } from './services.js'

const ImageQuery = Type.Object(
  {
    size: Type.Optional(
      Type.Enum(['thumbnail'], {
        description: 'thumbnail: always a WebP of at most 320 pixels on its longer side.'
      })
    )
  },
  { additionalProperties: false }
)

/** The kept image of a record, or a thumbnail of it, with its digest as ETag. */
export function recordImageRoute(app: App, { config, encoders, collections, images }: Services): void {
  const thumbnails = createThumbnails({
    images,
    // Decoding is the same whatever the model.
    make: (bytes, options) => encoders.get().thumbnail(bytes, options),
    cacheBytes: config.THUMBNAIL_CACHE_MIB * MIB,
    concurrency: config.DECODE_WORKERS,
    queueSize: config.QUEUE_SIZE,
    maxWaitMs: maxWaitMs(config)
  })
  app.addHook('onClose', () => thumbnails.close())
  app.get(
    '/v1/collections/:collection/records/:id/image',
    {
      schema: {
        tags: ['Records'],
        operationId: 'getRecordImage',
        summary: "Fetch a record's image",
        description:
          "Returns the image as it was sent or as a WebP thumbnail, depending on the collection's " +
          '`storage`; with `size`, always a thumbnail.',
        params: RecordParams,
        querystring: ImageQuery,
        response: {
          200: {
            description: 'The image.',
            content: { 'image/*': { schema: { type: 'string', format: 'binary' } } }
          },
          ...responses({})
        }
      }
    },
    async ({ params, query, headers, callOptions }, typedReply) => {
      const reply: FastifyReply = typedReply
      const collection = await collections.get(params.collection)
      const record = await collection.get(params.id, callOptions)
      if (!record) throw new RecordNotFound(params.collection, params.id)
      if (!record.image) throw new ImageNotKept(params.id)
      const { sha256, type } = record.image
      const etag = query.size ? `"${sha256}-${query.size}"` : `"${sha256}"`
      const cached = {
        etag,
        'cache-control': 'private, no-cache',
        'content-security-policy': "default-src 'none'; sandbox",
        'content-disposition': 'inline'
      }
      if (isKnown(headers['if-none-match'], etag)) return reply.headers(cached).code(304).send()
      if (query.size) {
        const bytes = await thumbnails.get(sha256, callOptions)
        if (!bytes) throw new ImageNotKept(params.id)
        return reply.headers(cached).type('image/webp').send(bytes)
      }
      const image = await images.open(sha256).catch(() => undefined)
      if (!image) throw new ImageNotKept(params.id)
      await throwIfAborted(callOptions, () => image.destroy())
      return reply.headers(cached).type(type).send(image)
    }
  )
}

/** Whether an If-None-Match header has an ETag, among others or weakened by a proxy. */
function isKnown(header: string | undefined, etag: string): boolean {
  return (
    header !== undefined &&
    header.split(',').some((part) => ['*', etag].includes(part.trim().replace(/^W\//, '')))
  )
}
