import { CollectionIndex } from './collection-index.js'
import type { StoredCollection } from './record.js'
import type { StoreReader } from './sqlite/reads.js'

/** The indexes of all collections, by the id of the collection. */
export type Indexes = Map<number, CollectionIndex>

/** Makes the indexes hold what the store does: the difference is found both ways. Returns its collections. */
export function syncIndexes(indexes: Indexes, store: StoreReader): StoredCollection[] {
  return store.atOnce(() => {
    const collections = store.collections()
    // Of what the indexes that were there before hold; new ones hold nothing that the store has not.
    const before = new Map(
      [...indexes.keys()].map((id) => [id, { keys: new Set<number>(), labels: new Set<number>() }])
    )
    for (const collection of collections)
      if (!indexes.has(collection.id)) indexes.set(collection.id, new CollectionIndex(collection))
    for (const { key, collection, metadata } of store.allMetadata()) {
      before.get(collection)?.keys.add(key)
      indexes.get(collection)?.put(key, metadata === null ? null : JSON.parse(metadata))
    }
    for (const { key, collection, modality, label, vector } of store.embeddings()) {
      before.get(collection)?.labels.add(label)
      if (!indexes.get(collection)?.has(label)) indexes.get(collection)?.add(key, { label, modality }, vector)
    }
    const live = new Set(collections.map(({ id }) => id))
    for (const [id, { keys, labels }] of before) {
      if (live.has(id)) indexes.get(id)!.keep(keys, labels)
      else removeIndex(indexes, id)
    }
    return collections
  })
}

/** Frees what the indexes of a collection hold. */
export function removeIndex(indexes: Indexes, collection: number): void {
  indexes.get(collection)?.clear()
  indexes.delete(collection)
}
