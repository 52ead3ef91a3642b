import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import type { Modality } from '../../collections/record.js'
import { ExportChanged } from '../../errors.js'
import { throwIfAborted } from '../deadlines.js'
import { CollectionName, CollectionParams, responses } from '../schemas.js'
import { BACKUP_SCOPE } from './backups.js'
import type { App, Services } from './services.js'

const FILES = ['image.npy', 'image.ids', 'text.npy', 'text.ids'] as const
const FileParams = Type.Object({
  collection: CollectionName,
  file: Type.Enum([...FILES], {
    description:
      'Modality and file type: `.npy` is a NumPy array of float32 with one row per embedding; `.ids` ' +
      "has the id of each row's record on one line.",
    examples: ['image.npy']
  })
})
const ExportQuery = Type.Object(
  {
    embeddings: Type.Optional(
      Type.Boolean({
        description:
          'Include all embeddings, or none. By default those that cannot be computed again from the ' +
          'exported record: all embeddings of a collection without a model, those of records without a ' +
          'text or a kept image, and with `images` those of images that are kept as thumbnails.'
      })
    ),
    images: Type.Optional(
      Type.Boolean({
        default: false,
        description:
          'Include kept images in base64. Without them, the header `semblance-kept-images` gives the ' +
          'number left out.'
      })
    )
  },
  { additionalProperties: false }
)

/** The header that says how many records have a kept image. */
const KEPT_IMAGES = 'semblance-kept-images'

const RECORD_LINES = {
  description: 'One record per line.',
  headers: {
    [KEPT_IMAGES]: Type.Integer({ description: 'Records with a kept image at the start of the export.' })
  },
  content: { 'application/x-ndjson': { schema: { type: 'string' } } }
}

const tags = ['Backups']

/** A collection in formats that others read. */
export function exportRoutes(app: App, { collections, exports }: Services): void {
  app.get(
    '/v1/collections/:collection/export',
    {
      config: { scope: BACKUP_SCOPE, streams: true },
      exposeHeadRoute: false,
      schema: {
        tags,
        operationId: 'exportRecords',
        summary: 'Export the records as NDJSON',
        description:
          'One record per line, in the shape that `records/bulk` accepts, ordered by id, without ' +
          'created_at and updated_at. Each record is as it was at some point during the export; a ' +
          'backup shows all records at one point in time.',
        params: CollectionParams,
        querystring: ExportQuery,
        response: { 200: RECORD_LINES, ...responses({}) }
      }
    },
    async ({ params, query: { embeddings, images = false }, callOptions }, typedReply) => {
      const reply: FastifyReply = typedReply
      const collection = await collections.get(params.collection)
      const content = {
        images,
        embeddings: wanted(embeddings ?? (collection.settings.model === null || undefined))
      }
      const { keptImages, lines, close } = await exports.records(collection, content)
      await throwIfAborted(callOptions, close)
      return reply.type('application/x-ndjson').header(KEPT_IMAGES, keptImages).send(streamOf(lines, close))
    }
  )
  app.get(
    '/v1/collections/:collection/export/:file',
    {
      config: { scope: BACKUP_SCOPE, streams: true },
      schema: {
        tags,
        operationId: 'exportEmbeddings',
        summary: 'Export the embeddings of one modality',
        description:
          "The embeddings at one point in time. The ETag of a modality's two files is the same as long " +
          'as its embeddings do not change: send the ETag of one file as If-Match with the other. The ' +
          'answer is 412 if rows and ids would not match.',
        params: FileParams,
        response: {
          200: {
            description: 'The file.',
            content: {
              'application/octet-stream': { schema: { type: 'string', format: 'binary' } },
              'text/plain': { schema: { type: 'string' } }
            }
          },
          ...responses({})
        }
      }
    },
    async ({ params, headers, method, callOptions }, typedReply) => {
      const reply: FastifyReply = typedReply
      const collection = await collections.get(params.collection)
      const [modality, kind] = params.file.split('.') as [Modality, 'npy' | 'ids']
      const exported = await exports.embeddings(collection, modality)
      const etag = `"${exported.version}"`
      const { 'if-match': ifMatch } = headers
      if (
        ifMatch !== undefined &&
        ifMatch !== '*' &&
        !ifMatch.split(',').some((tag) => tag.trim() === etag)
      ) {
        await exported.close()
        throw new ExportChanged()
      }
      await throwIfAborted(callOptions, exported.close)
      reply.headers({
        etag,
        'cache-control': 'private, no-store',
        'content-disposition': `attachment; filename="${params.collection}-${params.file}"`
      })
      if (kind === 'npy') reply.header('content-length', exported.npyBytes)
      // Fastify reads what answers a HEAD to its end.
      const body = method === 'HEAD' ? noBytes() : kind === 'npy' ? exported.npy() : exported.ids()
      return reply
        .type(kind === 'npy' ? 'application/octet-stream' : 'text/plain; charset=utf-8')
        .send(streamOf(body, exported.close))
    }
  )
}

function wanted(embeddings: boolean | undefined): 'all' | 'needed' | 'none' {
  return embeddings === undefined ? 'needed' : embeddings ? 'all' : 'none'
}

/** A stream that releases its source whether or not it is read, or to its end. */
function streamOf(parts: AsyncIterable<string | Uint8Array>, close: () => Promise<void>): Readable {
  return Readable.from(parts, { objectMode: false }).once('close', () => void close())
}

async function* noBytes(): AsyncGenerator<Uint8Array> {}
