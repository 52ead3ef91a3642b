import type { Collection, CollectionParts } from './collection.js'
import type { StoredCollection } from './record.js'
import type { RecordCopy } from './sqlite/record-writes.js'
import type { StoreReads } from './store-read.js'
import type { ComparedRecord, RecordPage } from './stores/record-page.js'

/** A collection that is made anew beside the one that serves, to take its place. */
export interface Replacement {
  /** The records of the one that serves, after an id, compared with their copies here. */
  compare(page: RecordPage): Promise<ComparedRecord[]>
  /**
   * Copies records as they were compared, with new embeddings; those that changed meanwhile are passed over.
   */
  copy(records: RecordCopy[]): Promise<void>
  /** Removes copies of records that are gone; resolves to how many. */
  removeExtra(): Promise<number>
  /** Records here. */
  count(): Promise<number>
  /** Keeps writes to the one that serves waiting until the function has ended. */
  whileHeld<T>(work: () => Promise<T>): Promise<T>
  /** Takes its place, if nothing differs; resolves to whether it did. */
  replace(): Promise<boolean>
}

export interface ReplacementParts extends Pick<CollectionParts, 'commit' | 'searcher' | 'read'> {
  /** What serves. */
  source: StoredCollection
  /** What is made. */
  target: Collection
  hold: <T>(work: () => Promise<T>) => Promise<T>
  /** Told that the one took the other's place. */
  onReplaced: () => Promise<void>
}

const PAGE = 1000

/** The handle of a replacement under way. */
export function createReplacement({
  source,
  target,
  commit,
  searcher,
  read,
  hold,
  onReplaced
}: ReplacementParts): Replacement {
  const { settings: stored } = target
  return {
    compare: (page) => read('compare', source.id, stored.id, page),
    copy: async (records) => {
      const { changes } = await commit({ kind: 'copy', collection: source, into: stored, records })
      const copied = changes.flatMap((change, i) =>
        change.gone
          ? []
          : [{ change, vectors: change.added.map(({ modality }) => records[i].embeddings[modality]!) }]
      )
      await searcher.call('apply', {
        collection: stored.id,
        changes: copied.map(({ change }) => change),
        vectors: copied.map(({ vectors }) => vectors)
      })
    },
    removeExtra: async () => {
      let removed = 0
      for (let after: string | undefined = ''; after !== undefined;) {
        const extra: ReturnType<StoreReads['extra']> = await read('extra', stored.id, source.id, {
          after,
          limit: PAGE
        })
        if (extra.ids.length > 0) await target.delete(extra.ids)
        removed += extra.ids.length
        after = extra.last
      }
      return removed
    },
    count: async () => (await target.counts()).records,
    whileHeld: hold,
    replace: async () => {
      const { replaced = false } = await commit({ kind: 'replace', collection: source, by: stored })
      if (replaced) await onReplaced()
      return replaced
    }
  }
}
