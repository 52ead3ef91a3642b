import { copyFile, link, mkdir, readdir, realpath } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { LOCK_FILE } from './lock-file.js'

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

/** Gives a file a second place: a hard link, or a copy where the file system has none. */
export async function linkFile(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true })
  // A link to a symbolic link would be one too, and point elsewhere from its new place.
  const source = await realpath(from)
  await link(source, to).catch(() => copyFile(source, to))
}
