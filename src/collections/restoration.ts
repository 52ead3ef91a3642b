import type { ThreadPool } from '../threading/thread-pool.js'
import type { Collection, CollectionParts } from './collection.js'
import type { Searcher } from './folder-threads.js'
import type { RestoredEmbedding, RestoredRecord } from './record.js'
import type { CollectionKey } from './sqlite/record-change.js'

/**
 * A collection that is made of a backup, out of sight until it is whole. A crash has it dropped at the next
 * start.
 */
export interface Restoration {
  /** Adds records, in the order of the backup: all of them before the first embedding. */
  addRecords(records: RestoredRecord[]): Promise<void>
  addEmbeddings(embeddings: RestoredEmbedding[]): Promise<void>
  /**
   * Gives it its name in one commit, in the place of a collection that has the name if that may be;
   * searchable when it resolves. Throws COLLECTION_EXISTS.
   */
  instate(options: { createdAt: number; mayReplace: boolean }): Promise<Collection>
  /** Ends it: what has not got its name by now is dropped. */
  end(): Promise<void>
}

export interface RestorationParts extends Pick<CollectionParts, 'commit'> {
  searcher: ThreadPool<Searcher>
  name: string
  target: Collection
  /** Told that it has its name, and which collection it took the place of; resolves to it. */
  onInstated: (displaced?: CollectionKey) => Promise<Collection>
}

/** The handle of a restoration under way. */
export function createRestoration({
  name,
  target,
  commit,
  searcher,
  onInstated
}: RestorationParts): Omit<Restoration, 'end'> {
  const { settings: stored } = target
  const { id: collection } = stored
  return {
    addRecords: async (records) => {
      const { changes } = await commit({ kind: 'restore', collection: stored, records })
      await searcher.call('apply', { collection, changes, vectors: [] })
    },
    addEmbeddings: async (embeddings) => {
      const { changes } = await commit({ kind: 'embed', collection: stored, embeddings })
      await searcher.call('embed', {
        collection,
        embeddings: changes.map(({ key, added: [{ label, modality }] }, i) => ({
          key,
          label,
          modality,
          vector: embeddings[i].vector
        }))
      })
    },
    instate: async (options) => {
      const { displaced } = await commit({ kind: 'instate', collection: stored, name, ...options })
      return onInstated(displaced)
    }
  }
}
