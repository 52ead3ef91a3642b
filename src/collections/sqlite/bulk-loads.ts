import { BulkLoadRunning } from '../../errors.js'
import type { BulkLoad, BulkLoadStep, FailedLine } from '../stores/bulk-load.js'
import type { Connection } from './connection.js'
import type { RecordChange } from './record-change.js'

/** Failed lines that are remembered, of each load the first ones. */
const MAX_FAILED = 1000

/** Writes about bulk loads, inside a transaction of the caller. */
export interface BulkLoadWriter {
  /**
   * Takes a step, counting what became of its records. Throws BULK_LOAD_RUNNING when it does not follow on
   * the last one.
   */
  step(collection: number, step: BulkLoadStep, changes: RecordChange[]): void
  /** Gives the loads of a collection to the one that takes its place. */
  move(collection: number, by: number): void
  /** Forgets the loads that took no step since a time. */
  forget(before: number): void
}

/** Prepares the statements that write bulk loads; `now` is the clock, in milliseconds since 1970. */
export function createBulkLoadWriter(db: Connection, now: () => number): BulkLoadWriter {
  const find = db.prepare<unknown[], { lines: number }>(
    'SELECT lines FROM bulk_load WHERE collection = ? AND key = ?'
  )
  const step = db.prepare<unknown[], { id: number; failed: number }>(`
    INSERT INTO bulk_load (collection, key, lines, digest, created, updated, failed, completed, updated_at)
    VALUES ($collection, $key, $lines, $digest, $created, $updated, $failed, $completed, $now)
    ON CONFLICT (collection, key) DO UPDATE SET lines = excluded.lines, digest = excluded.digest,
      created = created + excluded.created, updated = updated + excluded.updated,
      failed = failed + excluded.failed, completed = excluded.completed, updated_at = excluded.updated_at
    RETURNING id, failed`)
  const fail = db.prepare('INSERT INTO bulk_load_failure (load, line, body) VALUES (?, ?, ?)')
  const move = db.prepare('UPDATE bulk_load SET collection = ? WHERE collection = ?')
  const forget = db.prepare('DELETE FROM bulk_load WHERE updated_at < ?')
  return {
    step: (collection, { key, from, failed, completed, ...rest }, changes) => {
      if ((find.get(collection, key)?.lines ?? 0) !== from) throw new BulkLoadRunning(key)
      const updated = changes.filter(({ existed }) => existed).length
      const created = changes.length - updated
      const { id, failed: total } = step.get({
        ...rest,
        collection,
        key,
        created,
        updated,
        failed: failed.length,
        completed: Number(completed),
        now: now()
      })!
      const known = total - failed.length
      for (const { line, body } of failed.slice(0, Math.max(0, MAX_FAILED - known))) fail.run(id, line, body)
    },
    move: (collection, by) => void move.run(by, collection),
    forget: (before) => void forget.run(before)
  }
}

/** Reads about bulk loads. */
export interface BulkLoadReader {
  /** How far a load is; undefined where there is none of that key. */
  bulkLoad(collection: number, key: string): BulkLoad | undefined
  /** The first of its lines that failed, in their order. */
  failedLines(collection: number, key: string): FailedLine[]
}

/** Prepares the statements that read bulk loads. */
export function createBulkLoadReader(db: Connection): BulkLoadReader {
  const find = db.prepare<[number, string], Omit<BulkLoad, 'completed'> & { completed: number }>(
    'SELECT lines, digest, created, updated, failed, completed, updated_at AS updatedAt FROM bulk_load ' +
      'WHERE collection = ? AND key = ?'
  )
  const failed = db.prepare<[number, string], FailedLine>(
    'SELECT f.line, f.body FROM bulk_load_failure f JOIN bulk_load l ON l.id = f.load WHERE ' +
      'l.collection = ? AND l.key = ? ORDER BY f.line'
  )
  return {
    bulkLoad: (collection, key) => {
      const row = find.get(collection, key)
      return row && { ...row, completed: row.completed === 1 }
    },
    failedLines: (collection, key) => failed.all(collection, key)
  }
}
