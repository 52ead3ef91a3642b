import { randomBytes } from 'node:crypto'
import { rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freeBytesSync } from '../fs/disk-space.js'

/**
 * Bytes that are kept for deletions on a full disk: the log and the index of the log of some small
 * transactions.
 */
const BYTES = 4 << 20
/**
 * At the start the reserve is made where so many times its size is free: it must not fill the disk itself.
 */
const MARGIN = 4

/** A file that takes room on the disk of a data folder, to be given up when a deletion needs it. */
export interface Reserve {
  /** Gives the room back to the disk. */
  release(): void
  /** Takes it again, where the disk has room for it. */
  restore(): void
}

/** The reserve of a data folder; it is made now where there is room. */
export function openReserve(dataDir: string): Reserve {
  const path = join(dataDir, 'reserve')
  const release = () => rmSync(path, { force: true })
  const take = (margin: number) => {
    try {
      if (isWhole(path)) return
      if (freeBytesSync(dataDir) >= margin * BYTES) fill(path)
    } catch {
      // What is half written takes the room that deletions need.
      release()
    }
  }
  take(MARGIN)
  return { release, restore: () => take(1) }
}

function isWhole(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.size === BYTES
}

/** Random bytes: file systems store zeros without taking room. */
function fill(path: string): void {
  writeFileSync(path, randomBytes(BYTES), { mode: 0o640, flush: true })
}
