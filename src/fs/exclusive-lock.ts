import { readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import SQLite from 'better-sqlite3'

export interface LockRequest {
  /** The file that is locked; it stays, since deleting a locked file lets two in. */
  path: string
  signal: AbortSignal
  /** Called once, with who has it, when it has to be waited for. */
  onWait: (holder: string) => void
}

const POLL_MS = 250

/**
 * Takes a lock that one process has at a time, waiting for it, and runs the work. It is SQLite's lock, which
 * is the kernel's: it ends with its process however that ends, where a pid file or one with a time in it
 * would be stale, and it holds between containers that share a volume. Throws an AbortError when the signal
 * aborts.
 */
export async function withLock<T>({ path, signal, onWait }: LockRequest, work: () => Promise<T>): Promise<T> {
  let lock = tryLock(path)
  if (!lock) onWait(holder(path))
  while (!lock) {
    await sleep(POLL_MS, undefined, { signal })
    lock = tryLock(path)
  }
  try {
    writeFileSync(`${path}.holder`, `process ${process.pid} on ${hostname()}`)
    return await work()
  } finally {
    lock.close()
  }
}

function tryLock(path: string): SQLite.Database | undefined {
  const lock = new SQLite(path, { timeout: 0 })
  try {
    lock.exec('BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock.close()
    if ((error as { code?: string }).code === 'SQLITE_BUSY') return undefined
    throw error
  }
}

function holder(path: string): string {
  try {
    return readFileSync(`${path}.holder`, 'utf8')
  } catch {
    return 'another process'
  }
}
