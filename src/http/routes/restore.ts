import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { FastifyRequest } from 'fastify'
import { type Static, Type } from 'typebox'
import { MIB } from '../../config.js'
import {
  BackupTooLarge,
  ChecksumDiffers,
  ClientGone,
  CollectionForbidden,
  InvalidRequest,
  ReindexRunning
} from '../../errors.js'
import { storageError } from '../../fs/disk-fault.js'
import { runningReindex } from '../../jobs/reindex-jobs.js'
import { requireFree, restore } from '../../records/restore.js'
import { Semaphore } from '../../threading/semaphore.js'
import { CollectionName, OwnCollectionParams, responses } from '../schemas.js'
import { BACKUP_SCOPE, BACKUP_TYPE, BackupName, knownBackup, waitLong } from './backups.js'
import { CollectionBody, describe } from './collections.js'
import type { App, Services } from './services.js'

const RestoreBody = Type.Object(
  {
    backup: BackupName,
    from: Type.Optional(
      Type.String({
        ...CollectionName,
        description: 'The collection of the backup; by default the same collection.'
      })
    )
  },
  { additionalProperties: false, examples: [{ backup: 'before-upgrade' }] }
)

const RestoreQuery = Type.Object(
  {
    replace: Type.Optional(
      Type.Boolean({
        default: false,
        description: 'Replace an existing collection of this name; otherwise that is answered 409.',
        examples: [true]
      })
    ),
    sha256: Type.Optional(
      Type.String({
        pattern: '^[0-9a-fA-F]{64}$',
        description: 'SHA-256 of the uploaded file, which is rejected if it differs.'
      })
    )
  },
  { additionalProperties: false }
)

const schema = {
  tags: ['Backups'],
  operationId: 'restoreCollection',
  summary: 'Restore a collection from a backup',
  description:
    'Restores an uploaded file, whatever its collection was called, or a backup in the data folder. ' +
    'Everything is checked before and during the restore: the collection appears at once and complete, ' +
    'or not at all. Records keep their times. The collection can be searched when the call returns, ' +
    'with the same results as where the backup was made. Embeddings of a model that is not loaded are ' +
    'kept until it is.',
  params: OwnCollectionParams,
  querystring: RestoreQuery,
  body: {
    content: {
      'application/json': { schema: RestoreBody },
      [BACKUP_TYPE]: { schema: { type: 'object', format: 'binary' } }
    }
  },
  response: responses({ 200: CollectionBody })
}

/** Restores at a time: each writes as fast as the disk takes it. */
const AT_ONCE = 2

/** Bytes of an upload after which the disk is looked at again. */
const LOOK_BYTES = 16 * MIB

/**
 * Receives an upload, within MAX_BACKUP_MIB and the room on the disk: both are looked at by its
 * Content-Length first, and again while it comes. Throws BACKUP_TOO_LARGE, and what `receiveFile` throws.
 */
async function receiveUpload(
  { config, backups }: Services,
  request: FastifyRequest,
  { file, sha256 }: { file: string; sha256?: string }
): Promise<void> {
  const announced = Number(request.headers['content-length'] ?? 0)
  const requireSize = (bytes: number) => {
    if (bytes > config.MAX_BACKUP_MIB * MIB) throw new BackupTooLarge(config.MAX_BACKUP_MIB)
  }
  let looked = 0
  const admit = async (bytes: number) => {
    requireSize(bytes)
    if (bytes - looked < LOOK_BYTES) return
    looked = bytes
    // Others write meanwhile.
    await backups.requireRoom(Math.max(0, announced - bytes))
  }
  requireSize(announced)
  await backups.requireRoom(announced)
  await receiveFile(request.body as Readable, file, { sha256, signal: request.callOptions.signal, admit })
}

/** Making a collection of a backup. */
export function restoreRoutes(parent: App, services: Services): void {
  const { config, backups, collections, encoders, jobs } = services
  const semaphore = new Semaphore(AT_ONCE)
  const maxImageBytes = config.MAX_IMAGE_MIB * MIB
  const requireIdle = (name: string) => {
    const job = runningReindex(jobs.list(), name)
    if (job) throw new ReindexRunning(name, job.id)
  }
  // A scope of its own, since no other route takes such bodies.
  parent.register(async (scope) => {
    const app = scope as unknown as App
    app.addContentTypeParser(BACKUP_TYPE, (_, payload, done) => done(null, payload))
    app.post(
      '/v1/collections/:collection/restore',
      { config: { scope: BACKUP_SCOPE, streams: true }, schema },
      async (request, reply) => {
        const {
          params: { collection: name },
          query: { replace: mayReplace = false, sha256 },
          callOptions: { signal }
        } = request
        const body = request.body as Static<typeof RestoreBody> | Readable
        await requireFree(collections, name, mayReplace)
        requireIdle(name)
        let release = () => {}
        const options = { collections, encoders, name, mayReplace, maxImageBytes, signal }
        const make = async (of: { file: string; sha256?: string; keepsAge: boolean }) => {
          await backups.requireRoom((await stat(of.file)).size)
          const made = await describe(await restore({ ...options, ...of }))
          request.countChanges('created', made.records)
          return made
        }
        try {
          if ('backup' in body) {
            if (sha256 !== undefined)
              throw new InvalidRequest(
                'sha256 is only for an uploaded file; leave it out for a backup in the data folder.'
              )
            release = semaphore.acquireNow()
            waitLong(request)
            const from = body.from ?? name
            if (!request.reaches(from)) throw new CollectionForbidden(`collection '${from}'`)
            const { path, sha256: noted } = await knownBackup(services, request, {
              collection: from,
              name: body.backup
            })
            request.describeChange({ from, name: body.backup })
            return await make({ file: path, sha256: noted, keepsAge: true })
          }
          const file = backups.uploadFile()
          try {
            await receiveUpload(services, request, { file, sha256 })
            waitLong(request)
            // Not before the upload is whole: one that trickles would keep others out.
            release = await semaphore.acquire(signal)
            if (sha256 !== undefined) request.describeChange({ sha256 })
            return await make({ file, keepsAge: request.caller?.collections === undefined })
          } catch (error) {
            // The rest of an upload that was refused may be any length.
            if (!request.raw.complete) reply.header('connection', 'close')
            throw error
          } finally {
            await rm(file, { force: true })
          }
        } finally {
          release()
        }
      }
    )
  })
}

/** What is received of a body. */
interface Receiving {
  /** In hex, where it is named. */
  sha256?: string
  signal: AbortSignal
  /** Called with the bytes so far before some of them are written; throws what refuses them. */
  admit: (bytes: number) => Promise<void> | void
}

/**
 * Writes a body of any length to a file, and compares its SHA-256 (hex) where one is named. Throws
 * CHECKSUM_DIFFERS, STORAGE_FULL, what `admit` throws, or the signal's reason; the file is its owner's to
 * remove in any case.
 */
async function receiveFile(
  body: Readable,
  path: string,
  { sha256, signal, admit }: Receiving
): Promise<void> {
  const hash = createHash('sha256')
  let bytes = 0
  const hashed = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      bytes += chunk.length
      await admit(bytes)
      hash.update(chunk)
      yield chunk
    }
  }
  try {
    await pipeline(body, hashed, createWriteStream(path, { flags: 'wx' }), { signal })
  } catch (error) {
    signal.throwIfAborted()
    if ((error as NodeJS.ErrnoException).code === 'ECONNRESET') throw new ClientGone()
    throw storageError(error)
  }
  const received = hash.digest('hex')
  if (sha256 !== undefined && sha256.toLowerCase() !== received) throw new ChecksumDiffers(received, sha256)
}
