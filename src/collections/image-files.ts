import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { writeAllDurablySync } from '../fs/durable-write.js'

/**
 * Kept images: `DATA_DIR/images/<sha256>`, one file for equal bytes. Only the writer thread changes the
 * folder, so that a file is never removed while a write that needs it is under way.
 */
export function imageFolder(dataDir: string): string {
  return join(dataDir, 'images')
}

/** Whether that folder is there: it is made at the first start. */
export function imageFolderExists(dataDir: string): boolean {
  return existsSync(imageFolder(dataDir))
}

/** Where the image with this digest lies. */
export function imagePath(dataDir: string, sha256: string): string {
  return join(imageFolder(dataDir), sha256)
}

/** The SHA-256 of an image's bytes, in hex. */
export function imageDigest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/**
 * Writes images, each synced before it gets its name, then syncs the folder: when this returns the files
 * survive a power cut. Those that are there are written too: by a write that is sooner done a key could tell
 * what is kept in collections out of its reach. Throws the system's error, having removed what was half
 * written.
 */
export function writeImages(dataDir: string, images: Map<string, Uint8Array>): void {
  writeAllDurablySync(imageFolder(dataDir), images)
}

/**
 * Removes images that no record refers to any more. One that can't be removed stays for the sweep at the next
 * start.
 */
export function removeImages(dataDir: string, digests: Iterable<string>): void {
  for (const sha256 of digests) {
    try {
      rmSync(imagePath(dataDir, sha256), { force: true })
    } catch {
      continue
    }
  }
}

/** The names that are written here; the folder's other files are somebody else's. */
const OWN_NAME = /^[0-9a-f]{64}(\.partial)?$/

/**
 * Removes what a crash left behind: half-written files, and images whose record never committed. Returns how
 * many.
 */
export function sweepImages(dataDir: string, isReferred: (sha256: string) => boolean): number {
  mkdirSync(imageFolder(dataDir), { recursive: true })
  const orphans = readdirSync(imageFolder(dataDir)).filter((name) => OWN_NAME.test(name) && !isReferred(name))
  removeImages(dataDir, orphans)
  return orphans.length
}
