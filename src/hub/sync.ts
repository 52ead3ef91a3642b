import { open } from 'node:fs/promises'

/** Syncs a file or a folder to the disk: a name is durable once its folder is. */
export async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
