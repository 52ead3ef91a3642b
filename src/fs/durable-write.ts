import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { open, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** The ending of files that are not whole yet. */
export const PARTIAL = '.partial'

/** Syncs a file or a folder to the disk: a name is durable once its folder is. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Syncs a file or a folder to the disk; returns once that is done. */
export function syncPathSync(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Gives a file its name: syncs it, renames it and syncs the folder. */
export async function renameDurably(from: string, to: string): Promise<void> {
  await syncPath(from)
  await rename(from, to)
  await syncPath(dirname(to))
}

export interface DurableWrite {
  /** Where the file is until it is whole, in the same folder; by default its name and `.partial`. */
  aside?: string
  mode?: number
  /** Called before the file gets its name. */
  prepare?: (aside: string) => Promise<void>
}

/**
 * Writes a file aside, syncs it, gives it its name and syncs the folder. Readers see the old file or the new
 * one, and the new one survives a power cut once this resolves. Throws the system's error, and then leaves
 * nothing half written.
 */
export async function writeDurably(
  path: string,
  content: string,
  { aside = path + PARTIAL, mode, prepare }: DurableWrite = {}
): Promise<void> {
  try {
    await rm(aside, { force: true })
    await writeFile(aside, content, { flag: 'wx', mode, flush: true })
    await prepare?.(aside)
    await rename(aside, path)
    await syncPath(dirname(path))
  } catch (error) {
    await rm(aside, { force: true }).catch(() => undefined)
    throw error
  }
}

/**
 * Writes files of one folder by name, as `writeDurably` does, and syncs the folder once: when this returns
 * they all survive a power cut. Throws the system's error, and then leaves nothing half written.
 */
export function writeAllDurablySync(folder: string, files: Map<string, string | Uint8Array>): void {
  for (const [name, content] of files) {
    const path = join(folder, name)
    const aside = path + PARTIAL
    try {
      writeFileSync(aside, content, { flush: true })
      renameSync(aside, path)
    } catch (error) {
      rmSync(aside, { force: true })
      throw error
    }
  }
  if (files.size > 0) syncPathSync(folder)
}
