import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Bytes of the files in a folder, not of those further below. */
export async function folderSize(folder: string): Promise<number> {
  const sizes = (await readdir(folder)).map(
    async (name) => (await stat(join(folder, name)).catch(() => undefined))?.size ?? 0
  )
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}
