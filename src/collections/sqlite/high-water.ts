import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Setback } from '../stores/setback.js'
import type { Connection } from './connection.js'

/** How far a store had come. */
interface CommitCount {
  commits: number
  at: number
}

/** Keeps, in a small file beside the store, how many commits were made. */
export interface HighWaterMark {
  raise(mark: CommitCount): void
  close(): void
}

const FILE = 'commits.json'
/** Longer than any mark, so that each overwrites the one before whole. */
const LENGTH = 64

/**
 * Opens the mark for writing. It is written after a commit and never synced: a kill leaves it as it was
 * written, and a power cut may leave an older one, so that it never claims more than was committed. What
 * keeps it from being written only costs the warning.
 */
export function openMark(dataDir: string): HighWaterMark {
  let file: number | undefined
  try {
    file = openSync(join(dataDir, FILE), constants.O_RDWR | constants.O_CREAT, 0o640)
  } catch {
    file = undefined
  }
  return {
    raise: (mark) => {
      try {
        if (file !== undefined) writeSync(file, `${JSON.stringify(mark)}\n`.padStart(LENGTH), 0)
      } catch {
        // On a full disk the first write of the file fails; later ones take no more room.
      }
    },
    close: () => void (file !== undefined && closeSync(file))
  }
}

/** The mark that lies beside a store; undefined where there is none that can be read. */
export function readMark(dataDir: string): CommitCount | undefined {
  try {
    const { commits, at } = JSON.parse(readFileSync(join(dataDir, FILE), 'utf8')) as CommitCount
    return Number.isSafeInteger(commits) && Number.isSafeInteger(at) ? { commits, at } : undefined
  } catch {
    return undefined
  }
}

/** What a store lacks of what its mark says was committed; undefined where it lacks nothing. */
export function findSetback(dataDir: string, db: Connection, now: number): Setback | undefined {
  const mark = readMark(dataDir)
  const { commits, at } = progressOf(db)
  if (!mark || mark.commits <= commits) return undefined
  return { commits: mark.commits - commits, lostUntil: mark.at, keptUntil: at, noticedAt: now }
}

/** Notes a setback in the store, and goes on counting from its mark: it is found once. */
export function noteSetback(db: Connection, setback: Setback): void {
  db.prepare('UPDATE progress SET commits = commits + ?, setback = ?').run(
    setback.commits,
    JSON.stringify(setback)
  )
}

/** The last setback that was noted. */
export function lastSetback(db: Connection): Setback | undefined {
  const { setback } = progressOf(db)
  return setback === null ? undefined : (JSON.parse(setback) as Setback)
}

function progressOf(db: Connection): { commits: number; at: number | null; setback: string | null } {
  return db
    .prepare<[], { commits: number; at: number | null; setback: string | null }>(
      'SELECT commits, at, setback FROM progress'
    )
    .get()!
}
