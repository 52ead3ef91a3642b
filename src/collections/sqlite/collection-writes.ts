import { CollectionConflict } from '../../errors.js'
import {
  replacedName,
  type CollectionSettings,
  type MutableSettings,
  type StoredCollection
} from '../record.js'
import type { Connection } from './connection.js'

/** Writes of collections themselves, inside a transaction of the caller. */
export interface CollectionWriter {
  /** Throws COLLECTION_CONFLICT when the name is there. */
  create(settings: CollectionSettings): StoredCollection
  configure(id: number, settings: MutableSettings): void
  /** Gives a collection a name that can't be asked for, and returns that. */
  hide(collection: { id: number; name: string }): string
  /** Removes a collection with all that it holds; adds its images to `released`. */
  drop(id: number, released: Set<string>): void
}

/** Prepares the statements; `now` is the clock, in milliseconds since 1970. */
export function createCollectionWriter(db: Connection, now: () => number): CollectionWriter {
  const insert = db.prepare<unknown[], { id: number }>(
    'INSERT INTO collection (name, model, fingerprint, dimension, hnsw, storage, created_at) VALUES ' +
      '(?, ?, ?, ?, ?, ?, ?) RETURNING id'
  )
  const configure = db.prepare('UPDATE collection SET hnsw = ?, storage = ? WHERE id = ?')
  const nameExists = db.prepare('SELECT 1 FROM collection WHERE name = ?').pluck()
  const images = db
    .prepare<[number], string>(
      'SELECT DISTINCT image_sha256 FROM record WHERE collection = ? AND image_sha256 IS NOT NULL'
    )
    .pluck()
  const rename = db.prepare('UPDATE collection SET name = ? WHERE id = ?')
  const drop = db.prepare('DELETE FROM collection WHERE id = ?')
  return {
    create: (settings) => {
      const { name, model, fingerprint, dimension, hnsw, storage } = settings
      if (nameExists.get(name)) throw new CollectionConflict(name, 'its name', 'another')
      const createdAt = now()
      const { id } = insert.get(
        name,
        model,
        fingerprint,
        dimension,
        JSON.stringify(hnsw),
        storage,
        createdAt
      )!
      return { ...settings, id, createdAt }
    },
    configure: (id, { hnsw, storage }) => void configure.run(JSON.stringify(hnsw), storage, id),
    hide: ({ id, name }) => {
      const hidden = replacedName(name, id)
      rename.run(hidden, id)
      return hidden
    },
    drop: (id, released) => {
      for (const sha256 of images.all(id)) released.add(sha256)
      drop.run(id)
    }
  }
}
