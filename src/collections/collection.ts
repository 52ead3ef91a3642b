import type { Threads } from '../threads.js'
import type { Searcher } from './collections.js'
import { imagePath } from './image-files.js'
import type { SearchOptions } from './modality-index.js'
import type { Match, Modality, RecordWrite, StoredCollection, StoredRecord } from './record.js'
import type { Written } from './store/writes.js'
import type { RawWrite } from './writer-worker.js'

/** A named set of records that share one encoder. */
export interface Collection {
  readonly settings: StoredCollection
  /** Writes records, each replacing what was under its id; durable and searchable when it resolves. */
  upsert(records: RecordWrite[]): Promise<{ id: string; status: 'created' | 'updated' }[]>
  /** Removes records; by id, whether it was there. */
  delete(ids: string[]): Promise<{ id: string; existed: boolean }[]>
  get(id: string): Promise<StoredRecord | undefined>
  /** The records whose embedding of a modality has the highest cosine to a normalised query, best first. */
  search(query: Float32Array, options: SearchOptions & { target: Modality }): Promise<Match[]>
  /** Counts; `bytes` are those of kept images and embeddings. */
  counts(): Promise<{ records: number; images: number; texts: number; bytes: number }>
  /** The file of a record's kept image. */
  imagePath(sha256: string): string
}

export interface CollectionParts {
  dataDir: string
  commit: (write: RawWrite) => Promise<Written>
  searcher: Threads<Searcher>
}

/** The handle of a stored collection. Order of a write: commit, apply to the index, resolve. */
export function createCollection(settings: StoredCollection, { dataDir, commit, searcher }: CollectionParts): Collection {
  const { id: collection } = settings
  const apply = ({ added, removed }: Written, records: RecordWrite[] = []) =>
    searcher.call('apply', {
      collection,
      added,
      removed,
      vectors: added.map(({ record, modality }) => records[record].embeddings[modality]!)
    })
  return {
    settings,
    upsert: async (records) => {
      const written = await commit({ kind: 'upsert', collection: settings, records })
      await apply(written, records)
      return records.map(({ id }, i) => ({ id, status: written.existed[i] ? 'updated' : 'created' }))
    },
    delete: async (ids) => {
      const written = await commit({ kind: 'delete', collection: settings, ids })
      await apply(written)
      return ids.map((id, i) => ({ id, existed: written.existed[i] }))
    },
    get: (id) => searcher.call('record', { collection, id }),
    search: (query, { target: modality, ...options }) => searcher.call('search', { collection, modality, query, ...options }),
    counts: async () => {
      const { records = 0, image = 0, text = 0, imageBytes = 0 } = (await searcher.call('counts', collection)) ?? {}
      const embeddingBytes = (image + text) * settings.dimension * Float32Array.BYTES_PER_ELEMENT
      return { records, images: image, texts: text, bytes: imageBytes + embeddingBytes }
    },
    imagePath: (sha256) => imagePath(dataDir, sha256)
  }
}
