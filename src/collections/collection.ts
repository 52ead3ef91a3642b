import type { Threads } from '../threads.js'
import type { Searcher } from './collections.js'
import type { Explanation } from './collection-index.js'
import type { Filter } from './filter.js'
import { imagePath } from './image-files.js'
import type { Match, Modality, RecordPatch, RecordWrite, StoredCollection, StoredRecord } from './record.js'
import type { SearchCall } from './searcher-worker.js'
import type { RecordPage, RecordVersion } from './store/reads.js'
import type { Written } from './store/writes.js'
import type { RawWrite } from './writer-worker.js'

/** A named set of records that share one encoder. */
export interface Collection {
  readonly settings: StoredCollection
  /** Writes records, each replacing what was under its id; durable and searchable when it resolves. */
  upsert(records: RecordWrite[]): Promise<{ id: string; status: 'created' | 'updated' }[]>
  /** Changes parts of a record. Throws RECORD_NOT_FOUND, and RECORD_INVALID when nothing would be left to search by. */
  patch(id: string, patch: RecordPatch): Promise<void>
  /** Removes records, with `updatedAt` those that were not changed since; by id, whether it was removed. */
  delete(ids: string[], updatedAt?: number[]): Promise<{ id: string; existed: boolean }[]>
  get(id: string): Promise<StoredRecord | undefined>
  /** The L2-normalised embeddings of a record. */
  embeddings(id: string): Promise<Partial<Record<Modality, Float32Array>>>
  /** Records in the order of their ids (by bytes), those that pass a filter. */
  list(page: RecordPage & { filter?: Filter }): Promise<StoredRecord[]>
  /** The records that pass a filter, by id, as they are now. */
  select(filter: Filter): Promise<RecordVersion[]>
  /** The records that compare best with a normalised query, best first. */
  search(query: Float32Array, options: SearchOptions): Promise<{ matches: Match[]; explanation: Explanation }>
  /** Counts; `bytes` are those of kept images and embeddings. */
  counts(): Promise<{ records: number; images: number; texts: number; bytes: number }>
  /** The file of a record's kept image. */
  imagePath(sha256: string): string
}

export type SearchOptions = Omit<SearchCall, 'collection' | 'query'>

export interface CollectionParts {
  dataDir: string
  commit: (write: RawWrite) => Promise<Written>
  searcher: Threads<Searcher>
  /** Resolves when writes to a collection, by its key, are not held back. */
  turn: (collection: number) => Promise<void>
}

type Vectors = Partial<Record<Modality, Float32Array | null>>

/** The handle of a stored collection. Order of a write: commit, apply to the index, resolve. */
export function createCollection(settings: StoredCollection, { dataDir, commit, searcher, turn }: CollectionParts): Collection {
  const { id: collection } = settings
  const commitAndApply = async (write: RawWrite, vectors: Vectors[]) => {
    for (const byModality of vectors) requireVectors(byModality, settings.dimension)
    await turn(collection)
    const { changes } = await commit(write)
    await searcher.call('apply', { collection, changes, vectors: changes.map(({ added }, i) => added.map(({ modality }) => vectors[i][modality]!)) })
    return changes
  }
  return {
    settings,
    upsert: async (records) => {
      const changes = await commitAndApply({ kind: 'upsert', collection: settings, records }, records.map(({ embeddings }) => embeddings))
      return records.map(({ id }, i) => ({ id, status: changes[i].existed ? 'updated' : 'created' }))
    },
    patch: async (id, patch) => void (await commitAndApply({ kind: 'patch', collection: settings, id, patch }, [patch.embeddings])),
    delete: async (ids, updatedAt) => {
      const changes = await commitAndApply({ kind: 'delete', collection: settings, ids, updatedAt }, [])
      return ids.map((id, i) => ({ id, existed: changes[i].existed }))
    },
    get: (id) => searcher.call('record', { collection, id }),
    embeddings: (id) => searcher.call('embeddings', { collection, id }),
    list: (page) => searcher.call('list', { collection, ...page }),
    select: (filter) => searcher.call('select', { collection, filter }),
    search: (query, options) => searcher.call('search', { collection, query, ...options }),
    counts: async () => {
      const { records = 0, image = 0, text = 0, imageBytes = 0 } = (await searcher.call('counts', collection)) ?? {}
      const embeddingBytes = (image + text) * settings.dimension * Float32Array.BYTES_PER_ELEMENT
      return { records, images: image, texts: text, bytes: imageBytes + embeddingBytes }
    },
    imagePath: (sha256) => imagePath(dataDir, sha256)
  }
}

/** What is committed is found again at every start, so that nothing may be committed that an index can't hold. */
function requireVectors(byModality: Vectors, dimension: number): void {
  for (const vector of Object.values(byModality)) {
    if (vector && (vector.length !== dimension || !vector.every(Number.isFinite))) throw new Error(`An embedding is not finite, or not of ${dimension} dimensions.`)
  }
}
