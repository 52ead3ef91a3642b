import { join } from 'node:path'
import { digestFile } from './checksum.js'
import { readLock } from './lock-file.js'
import { packageFiles } from './package-files.js'
import { isTowerFile } from './towers.js'

/** How a package compares with its lock file, by path. */
export interface Verification {
  name: string
  /** `unverifiable`: there is no lock file to compare with. */
  status: 'whole' | 'different' | 'unverifiable'
  missing: string[]
  changed: string[]
  /** Towers and weights that no pull brought. */
  extra: string[]
}

/** Reads all files of a package and compares them with its lock file. Throws an Error when the lock file is damaged. */
export async function verifyPackage(modelsDir: string, name: string): Promise<Verification> {
  const folder = join(modelsDir, name)
  const lock = await readLock(folder)
  if (!lock) return { name, status: 'unverifiable', missing: [], changed: [], extra: [] }
  const there = await packageFiles(folder)
  const locked = Object.entries(lock.files)
  const missing = locked.map(([path]) => path).filter((path) => !there.includes(path))
  const changed: string[] = []
  for (const [path, { size, sha256 }] of locked) {
    if (missing.includes(path)) continue
    const digest = await digestFile(join(folder, path))
    if (digest.size !== size || digest.sha256 !== sha256) changed.push(path)
  }
  const extra = there.filter((path) => isTowerFile(path) && !(path in lock.files))
  const differs = [missing, changed, extra].some((paths) => paths.length > 0)
  return { name, status: differs ? 'different' : 'whole', missing, changed, extra }
}
