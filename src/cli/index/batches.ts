import { readFile } from 'node:fs/promises'
import { relative } from 'node:path'
import type { Fault } from '../../files/fault.js'
import type { Found, Item } from './item.js'
import { STAMP, stampFile, type FileStamp, type KnownRecords } from './known-records.js'

/** A record as it is sent, and what it is called to people. */
export interface Outgoing {
  name: string
  record: { id: string; text?: string; metadata?: Record<string, unknown>; image?: { base64: string } }
}

/** Records that go in one call. */
export type Batch = Outgoing[]

/** As many records as the service encodes together. */
const BATCH = 64
/**
 * Bytes of images in a call: their base64 stays well under what the service takes by default
 * (MAX_RECORDS_BODY_MIB).
 */
const BATCH_BYTES = 24 * 2 ** 20
/**
 * The largest MAX_IMAGE_MIB is half of what this was; the service says what it takes, and this only what fits
 * in memory here.
 */
const MAX_FILE_BYTES = 256 * 2 ** 20

export interface BatchesOptions {
  known: KnownRecords
  /** Whether what is known to be unchanged is sent, too. */
  all: boolean
  onUnchanged: () => void
  onFault: (fault: Fault) => void
}

/** Reads the files of what is new or changed, and groups it. */
export async function* batches(
  items: AsyncIterable<Found>,
  { known, all, onUnchanged, onFault }: BatchesOptions
): AsyncGenerator<Batch> {
  let batch: Batch = []
  let bytes = 0
  const ids = new Set<string>()
  for await (const found of items) {
    if (found.id !== undefined) known.see(found.id)
    if ('reason' in found) {
      onFault(found)
      continue
    }
    try {
      if (ids.has(found.id))
        throw new Error(`The id is the same as that of '${found.id}'; give one of them another id.`)
      ids.add(found.id)
      const stamp = found.path === undefined ? undefined : await stampFile(found.path)
      if (found.metadata && stamp && STAMP in found.metadata)
        throw new Error(
          `The metadata has a field '${STAMP}', which is reserved for the size and time of the image; ` +
            'rename it.'
        )
      if (!all && (await known.has(found, stamp))) {
        onUnchanged()
        continue
      }
      if (stamp && batch.length > 0 && bytes + stamp.size > BATCH_BYTES) {
        yield batch
        batch = []
        bytes = 0
      }
      batch.push(await outgoing(await known.keep(found), stamp))
      bytes += stamp?.size ?? 0
    } catch (error) {
      onFault({ name: nameOf(found), reason: (error as Error).message })
    }
    if (batch.length === BATCH) {
      yield batch
      batch = []
      bytes = 0
    }
  }
  if (batch.length > 0) yield batch
}

async function outgoing(item: Item, stamp: FileStamp | undefined): Promise<Outgoing> {
  const { id, path, text, metadata } = item
  if (stamp && stamp.size > MAX_FILE_BYTES)
    throw new Error(`The file has ${stamp.size} bytes; at most ${MAX_FILE_BYTES} are allowed.`)
  const fields = { ...metadata, ...(stamp && { [STAMP]: stamp }) }
  return {
    name: nameOf(item),
    record: {
      id,
      ...(text !== undefined && { text }),
      ...(Object.keys(fields).length > 0 && { metadata: fields }),
      ...(path !== undefined && { image: { base64: await readFile(path, 'base64') } })
    }
  }
}

/** The file as one would type it, else the id. */
function nameOf({ id, path }: Item): string {
  if (path === undefined) return id
  const near = relative(process.cwd(), path)
  return near.startsWith('..') ? path : near
}
