import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { MARKS } from '../packages/layouts.js'
import { packageFiles } from '../packages/list-files.js'
import { findTowers, variantsOf } from '../packages/towers.js'
import type { Variant } from '../packages/variants.js'
import { readLock } from './lock-file.js'

/** A package under MODELS_DIR, as `models list` shows it. */
export interface InstalledPackage {
  name: string
  towers: Record<'vision' | 'text', Variant[]>
  /** On disk. */
  bytes: number
  /** `repo@commit` of the lock file, or `local` where there is none. */
  source: string
}

/** Whether a folder is a package. */
export async function isPackage(folder: string): Promise<boolean> {
  const found = await Promise.all(
    MARKS.map((mark) =>
      stat(join(folder, mark)).then(
        (entry) => entry.isFile(),
        () => false
      )
    )
  )
  return found.includes(true)
}

/**
 * The names of the packages under MODELS_DIR, `name` or `owner/name`, sorted; none where there is no such
 * folder.
 */
export async function packageNames(modelsDir: string): Promise<string[]> {
  const names: string[] = []
  for (const name of await folders(modelsDir)) {
    if (await isPackage(join(modelsDir, name))) names.push(name)
    else
      for (const inner of await folders(join(modelsDir, name)))
        if (await isPackage(join(modelsDir, name, inner))) names.push(`${name}/${inner}`)
  }
  return names.sort()
}

/** Looks into a package. Reads no weights. */
export async function inspectPackage(modelsDir: string, name: string): Promise<InstalledPackage> {
  const folder = join(modelsDir, name)
  const paths = await packageFiles(folder)
  const sizes = await Promise.all(
    paths.map((path) =>
      stat(join(folder, path)).then(
        ({ size }) => size,
        () => 0
      )
    )
  )
  const found = findTowers(paths)
  const lock = await readLock(folder).catch(() => 'damaged lock file' as const)
  return {
    name,
    towers: {
      vision: found ? variantsOf(found.files, 'image') : [],
      text: found ? variantsOf(found.files, 'text') : []
    },
    bytes: sizes.reduce((sum, size) => sum + size, 0),
    source: typeof lock === 'object' ? `${lock.repo}@${lock.commit}` : (lock ?? 'local')
  }
}

async function folders(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (['ENOENT', 'ENOTDIR'].includes(error.code ?? '')) return []
    throw error
  })
  return names.filter((name) => !name.startsWith('.'))
}
