import { basename, dirname } from 'node:path'
import { send } from '@fastify/send'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type, type Static } from 'typebox'
import { BACKUP_NAME, type Backup } from '../../collections/backups/backup-folder.js'
import { BackupNotFound, RangeNotSatisfiable } from '../../errors.js'
import { throwIfAborted } from '../deadlines.js'
import { OwnCollectionName, OwnCollectionParams, responses } from '../schemas.js'
import { knowledgeOf, mayKnow } from './collection-reach.js'
import { optionalBody } from './optional-body.js'
import type { App, Services } from './services.js'

/**
 * What making, fetching, restoring and removing backups asks of an API key: they give all of a collection
 * away, or change it.
 */
export const BACKUP_SCOPE = 'admin'
const LISTING_SCOPE = 'read'

export const BackupName = Type.String({
  pattern: BACKUP_NAME,
  description: 'Name of a backup.',
  examples: ['before-upgrade']
})
const BackupParams = Type.Object({ collection: OwnCollectionName, name: BackupName })

const BackupBody = Type.Object({
  name: Type.String(),
  collection: Type.String(),
  collection_created_at: Type.String({
    format: 'date-time',
    description:
      'When the collection was created; this distinguishes it from other collections that had the same name.'
  }),
  bytes: Type.Integer(),
  sha256: Type.String({ description: 'SHA-256 of the file.' }),
  records: Type.Integer(),
  embeddings: Type.Integer(),
  images: Type.Integer({ description: 'Kept images; identical images are stored once.' }),
  lost_images: Type.Integer({
    description:
      'Images whose file was missing or damaged; their records are in the backup without them. A value ' +
      'other than 0 means that the data folder is damaged.'
  }),
  model: Type.Union([Type.String(), Type.Null()]),
  fingerprint: Type.Union([Type.String(), Type.Null()]),
  dimension: Type.Integer(),
  format: Type.Integer({ description: 'Version of the backup format.' }),
  service: Type.String({ description: 'Version of the service that made it.' }),
  created_at: Type.String({ format: 'date-time', description: 'The point in time of the backup.' })
})

const MakeBody = Type.Object(
  { name: Type.Optional(Type.String({ pattern: BACKUP_NAME, description: 'By default the current time.' })) },
  { additionalProperties: false, examples: [{ name: 'before-upgrade' }] }
)

const tags = ['Backups']

/** The media type of a backup: https://www.iana.org/assignments/media-types/application/vnd.sqlite3. */
export const BACKUP_TYPE = 'application/vnd.sqlite3'
const BACKUP_FILE = {
  description: 'The file.',
  content: { [BACKUP_TYPE]: { schema: { type: 'string', format: 'binary' } } }
}

/** Making, listing, fetching and removing backups. */
export function backupRoutes(app: App, { backups, collections }: Services): void {
  app.post(
    '/v1/collections/:collection/backups',
    {
      config: { scope: BACKUP_SCOPE, streams: true },
      schema: {
        tags,
        operationId: 'makeBackup',
        summary: 'Make a backup of a collection',
        description:
          'Writes one file with the records, embeddings, kept images and settings of the collection at ' +
          'one point in time to the data folder. Writes and searches continue. The call returns when ' +
          'the backup is complete; closing the connection before that cancels it.',
        params: OwnCollectionParams,
        body: MakeBody,
        response: responses({ 201: BackupBody })
      },
      preValidation: optionalBody
    },
    async (request, reply) => {
      const {
        params,
        callOptions: { signal }
      } = request
      const { name } = request.body as Static<typeof MakeBody>
      waitLong(request)
      const backup = await backups.make(params.collection, { name, signal })
      request.describeChange({ name: backup.name })
      if (backup.lostImages > 0)
        request.log.error(
          { backup: backup.name, collection: backup.collection, lostImages: backup.lostImages },
          'kept images are missing or damaged, and not in the backup'
        )
      return reply
        .code(201)
        .header('location', `/v1/collections/${params.collection}/backups/${backup.name}`)
        .send(toBody(backup))
    }
  )
  app.get(
    '/v1/collections/:collection/backups',
    {
      config: { scope: LISTING_SCOPE },
      schema: {
        tags,
        operationId: 'listBackups',
        summary: 'List the backups of a collection, the latest first',
        description:
          'Backups remain when their collection is deleted; those of a deleted collection are visible ' +
          'to keys with access to all collections.',
        params: OwnCollectionParams,
        response: responses({ 200: Type.Object({ backups: Type.Array(BackupBody) }) })
      }
    },
    async (request) => {
      const { collection } = request.params
      const known = (await backups.list(collection)).filter(await knowledgeOf(request, collections))
      // Where the caller knows of none there is one answer, were there others or not.
      if (known.length === 0) await collections.get(collection)
      return { backups: known.map(toBody) }
    }
  )
  app.delete(
    '/v1/collections/:collection/backups/:name',
    {
      config: { scope: BACKUP_SCOPE },
      schema: {
        tags,
        operationId: 'removeBackup',
        summary: 'Remove a backup',
        params: BackupParams,
        response: responses({ 204: Type.Null() })
      }
    },
    async (request, reply) => {
      const { collection, name } = await knownBackup({ backups, collections }, request, request.params)
      backups.remove(collection, name)
      return reply.code(204).send(null)
    }
  )
}

/** Fetching a backup's file, from any byte on. */
export function backupFileRoute(app: App, { backups, collections }: Services): void {
  app.get(
    '/v1/collections/:collection/backups/:name',
    {
      config: { scope: BACKUP_SCOPE, streams: true },
      schema: {
        tags,
        operationId: 'getBackup',
        summary: 'Fetch a backup',
        description:
          'An SQLite database. Its SHA-256 is in the ETag (in hex) and in Repr-Digest. Range and ' +
          'If-Range resume an interrupted download.',
        params: BackupParams,
        response: {
          200: BACKUP_FILE,
          206: { ...BACKUP_FILE, description: 'The bytes that Range requests.' },
          ...responses({})
        }
      }
    },
    async (request, typedReply) => {
      const {
        params: { collection, name },
        headers,
        method
      } = request
      const reply: FastifyReply = typedReply
      const { path, sha256, bytes } = await knownBackup({ backups, collections }, request, {
        collection,
        name
      })
      const etag = `"${sha256}"`
      const { range, 'if-range': ifRange } = headers
      // The library knows ETags of times and sizes only: a range of another file is none of this one.
      const asked = {
        method,
        headers: { ...(range !== undefined && (ifRange === undefined || ifRange === etag) && { range }) }
      }
      const answer = await send(asked as unknown as FastifyRequest['raw'], `/${basename(path)}`, {
        root: dirname(path),
        cacheControl: false,
        etag: false,
        lastModified: false,
        contentType: false,
        index: false
      })
      if (answer.statusCode === 416) {
        reply.header('content-range', `bytes */${bytes}`)
        throw new RangeNotSatisfiable(bytes)
      }
      await throwIfAborted(request.callOptions, () => answer.stream.destroy())
      // Removed meanwhile.
      if (answer.statusCode >= 400) throw new BackupNotFound(collection, name)
      reply.headers({
        ...answer.headers,
        etag,
        'repr-digest': `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`,
        'cache-control': 'private, no-store',
        'content-disposition': `attachment; filename="${collection}-${name}.sqlite"`
      })
      return reply.code(answer.statusCode).type(BACKUP_TYPE).send(answer.stream)
    }
  )
}

/** A backup, if the caller may know of it. Throws BACKUP_NOT_FOUND. */
export async function knownBackup(
  { backups, collections }: Pick<Services, 'backups' | 'collections'>,
  request: Pick<FastifyRequest, 'reaches' | 'caller'>,
  { collection, name }: { collection: string; name: string }
): Promise<ReturnType<Services['backups']['get']>> {
  const backup = backups.get(collection, name)
  if (!(await mayKnow(request, backup, collections))) throw new BackupNotFound(collection, name)
  return backup
}

/** Lets a request work in silence for as long as it takes, where an idle connection would be closed. */
export function waitLong({ raw }: Pick<FastifyRequest, 'raw'>): void {
  raw.socket.setTimeout(0)
}

function toBody({
  lostImages,
  createdAt,
  collectionCreatedAt,
  ...backup
}: Backup): Static<typeof BackupBody> {
  const {
    name,
    collection,
    bytes,
    sha256,
    records,
    embeddings,
    images,
    model,
    fingerprint,
    dimension,
    format,
    service
  } = backup
  return {
    name,
    collection,
    collection_created_at: new Date(collectionCreatedAt).toISOString(),
    bytes,
    sha256,
    records,
    embeddings,
    images,
    lost_images: lostImages,
    model,
    fingerprint,
    dimension,
    format,
    service,
    created_at: new Date(createdAt).toISOString()
  }
}
