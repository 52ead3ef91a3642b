import type { SavedClassifier } from '../stores/classifier-store.js'
import type { Connection } from './connection.js'

/** Writes of classifiers, inside a transaction of the caller. */
export interface ClassifierWriter {
  /** Puts one under its name, in the place of what was there; returns whether something was. */
  put(row: SavedClassifier): boolean
  /** Returns whether it was there. */
  remove(name: string): boolean
}

/** Prepares the statements that write classifiers. */
export function createClassifierWriter(db: Connection): ClassifierWriter {
  const exists = db.prepare<[string], number>('SELECT 1 FROM classifier WHERE name = ?').pluck()
  const put = db.prepare(
    'INSERT INTO classifier (name, body, weights) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET ' +
      'body = excluded.body, weights = excluded.weights'
  )
  const remove = db.prepare('DELETE FROM classifier WHERE name = ?')
  return {
    put: ({ name, body, weights }) => {
      const existed = exists.get(name) !== undefined
      put.run(name, body, weights)
      return existed
    },
    remove: (name) => remove.run(name).changes > 0
  }
}

/** Reads of classifiers. */
export interface ClassifierReader {
  /** The bodies of all, in the order of their names. */
  classifiers(): string[]
  classifier(name: string): SavedClassifier | undefined
}

/** Prepares the statements that read classifiers. */
export function createClassifierReader(db: Connection): ClassifierReader {
  const all = db.prepare<[], string>('SELECT body FROM classifier ORDER BY name').pluck()
  const one = db.prepare<[string], SavedClassifier>(
    'SELECT name, body, weights FROM classifier WHERE name = ?'
  )
  return { classifiers: () => all.all(), classifier: (name) => one.get(name) }
}
