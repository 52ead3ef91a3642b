import { existsSync } from 'node:fs'
import { imagePath } from './image-files.js'
import { isHidden, MODALITIES, type StoredCollection } from './record.js'
import { snapshotProblem } from './snapshots.js'
import { newestSchema, openReader, storeExists, storeFailure } from './sqlite/connection.js'
import { storeFaults } from './sqlite/faults.js'
import { findSetback, lastSetback } from './sqlite/high-water.js'
import type { Setback } from './stores/setback.js'
import { createStoreReader } from './sqlite/reads.js'

/** What was found of a store, read beside a service that may be running. */
export interface StoreReport {
  schema: number
  /** The newest schema that this version knows: an older store is brought up to date at the next start. */
  newestSchema: number
  /** What the checks of the file and of what it holds found wrong. */
  damage: string[]
  /** What the store lacks that was acknowledged: found now, or at its last starts. */
  setback?: Setback
  collections: CollectionReport[]
}

export interface CollectionReport extends Pick<
  StoredCollection,
  'name' | 'model' | 'fingerprint' | 'dimension'
> {
  records: number
  /** Ids of records whose kept image is not there: how many, and the first of them. */
  lostImages: { count: number; ids: string[] }
  /** Graphs that will be rebuilt at the next start, and why. */
  rebuilt: string[]
}

const PAGE = 1000
const MAX_NAMED = 10

/**
 * Looks through the store of a data folder without changing it; undefined where there is none. Throws when it
 * can't be read.
 */
export async function inspectStore(dataDir: string): Promise<StoreReport | undefined> {
  if (!storeExists(dataDir)) return undefined
  const db = openReader(dataDir)
  try {
    const schema = db.pragma('user_version', { simple: true }) as number
    if (schema !== newestSchema) return { schema, newestSchema, damage: [], collections: [] }
    const damage = storeFaults(db)
    const store = createStoreReader(db)
    const collections: CollectionReport[] = []
    for (const collection of store.collections().filter((stored) => !isHidden(stored))) {
      const { name, model, fingerprint, dimension } = collection
      collections.push({
        name,
        model,
        fingerprint,
        dimension,
        records: store.counts(collection.id)?.records ?? 0,
        lostImages: lostImages(dataDir, store, collection),
        rebuilt: await snapshotProblems(dataDir, store, collection)
      })
    }
    return {
      schema,
      newestSchema,
      damage,
      setback: findSetback(dataDir, db, Date.now()) ?? lastSetback(db),
      collections
    }
  } catch (error) {
    throw storeFailure(error, dataDir)
  } finally {
    db.close()
  }
}

type Reader = ReturnType<typeof createStoreReader>

function lostImages(
  dataDir: string,
  store: Reader,
  { id }: StoredCollection
): CollectionReport['lostImages'] {
  const lost: CollectionReport['lostImages'] = { count: 0, ids: [] }
  for (let after: string | undefined = ''; after !== undefined;) {
    const page = store.page(id, { after, limit: PAGE })
    for (const { id: record, image } of page) {
      if (image && !existsSync(imagePath(dataDir, image.sha256)) && ++lost.count <= MAX_NAMED)
        lost.ids.push(record)
    }
    after = page.at(-1)?.id
  }
  return lost
}

async function snapshotProblems(
  dataDir: string,
  store: Reader,
  { id, dimension, hnsw }: StoredCollection
): Promise<string[]> {
  const highestLabel = store.highestLabel()
  const problems = await Promise.all(
    MODALITIES.map((modality) =>
      snapshotProblem(dataDir, { collection: id, modality, dimension, hnsw, highestLabel })
    )
  )
  return problems.filter((problem) => problem !== undefined)
}
