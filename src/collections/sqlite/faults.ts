import type { Connection } from './connection.js'

/** What must hold between the tables, each as the query that finds where it does not. */
const RULES: { query: string; fault: (count: number) => string }[] = [
  {
    query: 'SELECT count(*) FROM pragma_foreign_key_check',
    fault: (count) => `${count} rows refer to missing rows`
  },
  {
    query:
      'SELECT count(*) FROM embedding e JOIN collection c ON c.id = e.collection WHERE ' +
      'length(e.vector) <> 4 * c.dimension',
    fault: (count) => `${count} embeddings do not have their collection's dimension`
  },
  {
    query:
      'SELECT count(*) FROM embedding e JOIN record r ON r.key = e.record WHERE r.collection <> e.collection',
    fault: (count) => `${count} embeddings are in another collection than their records`
  },
  {
    query:
      'SELECT count(*) FROM record r WHERE NOT EXISTS (SELECT 1 FROM embedding WHERE record = r.key) ' +
      'AND r.collection IN (SELECT id FROM collection WHERE model IS NULL)',
    fault: (count) => `${count} records of collections without a model have no embeddings`
  },
  {
    query:
      'SELECT count(*) FROM collection c WHERE records <> (SELECT count(*) FROM record WHERE ' +
      'collection = c.id)',
    fault: (count) => `${count} collections have a wrong record count`
  }
]

/** What SQLite's own check and the rules between the tables find wrong; reads the whole file. */
export function storeFaults(db: Connection): string[] {
  const file = (db.pragma('quick_check(10)') as { quick_check: string }[])
    .map((row) => row.quick_check)
    .filter((line) => line !== 'ok')
  if (file.length > 0) return file
  return RULES.flatMap(({ query, fault }) => {
    const count = db.prepare<[], number>(query).pluck().get() ?? 0
    return count === 0 ? [] : [fault(count)]
  })
}
