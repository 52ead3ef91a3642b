import { closeSync, fsyncSync, openSync } from 'node:fs'

/** Syncs a file or a folder to the disk: a name is durable once its folder is. */
export function syncPath(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
