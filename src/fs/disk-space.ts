import { statfsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'

/**
 * What is left free on a disk for writes of records, in bytes: this share of the disk, and no more than so
 * much.
 */
const RESERVE = { share: 1 / 20, most: 2 ** 30 }

/** Bytes that are free on the disk of a folder for this process. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}

/** The same, for threads that do nothing else meanwhile. */
export function freeBytesSync(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}

/** The room on the disk of a folder. */
export interface DiskSpace {
  freeBytes: number
  /** Whether more than the reserve is free: 5 % of the disk, and 1 GiB at most. */
  hasReserve: boolean
}

/** The room on the disk of a folder for this process, with so many bytes more on it. */
export async function diskSpace(folder: string, more = 0): Promise<DiskSpace> {
  const { bavail, blocks, bsize } = await statfs(folder)
  const freeBytes = bavail * bsize - more
  return { freeBytes, hasReserve: freeBytes >= Math.min(blocks * bsize * RESERVE.share, RESERVE.most) }
}

/** Whether the disk of a folder would still have its reserve with so many bytes more on it. */
export async function hasRoom(folder: string, bytes: number): Promise<boolean> {
  return (await diskSpace(folder, bytes)).hasReserve
}
