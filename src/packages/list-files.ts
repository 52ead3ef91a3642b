import { readdir } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { LOCK_FILE } from './layouts.js'

/**
 * The paths of all files of a package but its lock file, with `/` between folders, sorted; none where there
 * is no folder.
 */
export async function packageFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return []
      throw error
    }
  )
  const files = entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
  return files.filter((path) => path !== LOCK_FILE).sort()
}
