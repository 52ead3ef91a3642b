import { stat } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Service } from '../service.js'
import type { Item } from './item.js'

/**
 * What a record keeps of the file that its image was: so that the collection itself says what is unchanged,
 * to every machine and without files of state beside it. Size and time are what rsync goes by.
 */
export interface FileStamp {
  /** Bytes. */
  size: number
  /** ISO 8601, with milliseconds. */
  modified_at: string
}

/** The field of metadata that has the stamp. */
export const STAMP = 'file'

/** Longer ones are not kept in memory, but read again, one by one: in characters of JSON. */
const LONGEST_KEPT = 4096

/** Records that are there already, by id. */
export interface KnownRecords {
  /**
   * Whether a record says what an item says: an item without a text or a field leaves those of the record be.
   */
  has(item: Item, stamp: FileStamp | undefined): Promise<boolean>
  /** The text and the fields of a record, which stay where an item has none. */
  keep(item: Item): Promise<Item>
  /** Told of an id that is in the source, whatever becomes of it. */
  see(id: string): void
  /** Ids of records that came from files, and were not seen. */
  unseen(prefix: string): string[]
  /**
   * The uppermost folder of an id, as a path with a slash at its end, of which nothing was seen; undefined
   * where there is none.
   */
  unseenFolder(id: string): string | undefined
}

interface Kept {
  text: string | null
  metadata: Record<string, unknown> | null
}

/** Reads what a collection holds. */
export async function knownRecords(
  service: Service,
  collection: string,
  signal: AbortSignal
): Promise<KnownRecords> {
  // As JSON, which is a third of the objects' size: a hundred thousand of them are held at once.
  const kept = new Map<string, string>()
  const stamped = new Set<string>()
  const folders = new Set<string>()
  for await (const { id, text, metadata } of service.api.records(collection, { limit: 1000, signal })) {
    const json = JSON.stringify({ text, metadata } satisfies Kept)
    kept.set(id, json.length > LONGEST_KEPT ? '' : json)
    if (stampOf(metadata)) stamped.add(id)
  }
  const find = async (id: string): Promise<Kept | undefined> => {
    const json = kept.get(id)
    return json !== ''
      ? json && JSON.parse(json)
      : service.api.get('/v1/collections/{collection}/records/{id}', {
          params: { path: { collection, id } },
          signal
        })
  }
  return {
    has: async (item, stamp) => {
      const record = await find(item.id)
      return record !== undefined && says(record, item, stamp)
    },
    keep: async (item) => {
      const record = await find(item.id)
      if (!record) return item
      const { text, metadata } = record
      const fields = { ...metadata }
      // Of the image before.
      delete fields[STAMP]
      return { ...item, text: item.text ?? text ?? undefined, metadata: { ...fields, ...item.metadata } }
    },
    see: (id) => {
      stamped.delete(id)
      for (const folder of foldersOf(id)) folders.add(folder)
    },
    unseen: (prefix) => [...stamped].filter((id) => id.startsWith(prefix)),
    unseenFolder: (id) => foldersOf(id).find((folder) => !folders.has(folder))
  }
}

/** `a/b/c.png` is in the empty one, in `a/` and in `a/b/`. */
function foldersOf(id: string): string[] {
  return ['', ...[...id.matchAll(/\//g)].map(({ index }) => id.slice(0, index + 1))]
}

/** Size and time of a file. */
export async function stampFile(path: string): Promise<FileStamp> {
  const { size, mtime } = await stat(path)
  return { size, modified_at: mtime.toISOString() }
}

function says({ text, metadata }: Kept, item: Item, stamp: FileStamp | undefined): boolean {
  if (item.text !== undefined && item.text !== text) return false
  const fields = Object.entries({ ...item.metadata, ...(stamp && { [STAMP]: stamp }) })
  return fields.every(([name, value]) => isDeepStrictEqual(metadata?.[name], value))
}

function stampOf(metadata: Record<string, unknown> | null): boolean {
  const stamp = metadata?.[STAMP] as Partial<FileStamp> | undefined
  return typeof stamp?.size === 'number' && typeof stamp.modified_at === 'string'
}
