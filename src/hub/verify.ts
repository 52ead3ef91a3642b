import { join } from 'node:path'
import { externalDataOf } from '../packages/external-data.js'
import { packageFiles } from '../packages/list-files.js'
import { isTowerFile } from '../packages/towers.js'
import { digestFile } from './checksum.js'
import { readLock } from './lock-file.js'

/** How a package compares with its lock file, by path. */
export interface Verification {
  name: string
  /** `unverifiable`: there is no lock file to compare with. */
  status: 'whole' | 'different' | 'unverifiable'
  missing: string[]
  changed: string[]
  /**
   * Towers and weights that no pull brought; those that a graph names are listed in `missing` where they are
   * not there.
   */
  extra: string[]
}

/**
 * Reads all files of a package and compares them with its lock file. Throws an Error when the lock file is
 * damaged.
 */
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
  const weights = (
    await weightsOf(
      folder,
      locked.map(([path]) => path).filter((path) => there.includes(path))
    )
  ).filter((path) => !(path in lock.files))
  missing.push(...weights.filter((path) => !there.includes(path)))
  const extra = there.filter((path) => (isTowerFile(path) || weights.includes(path)) && !(path in lock.files))
  const differs = [missing, changed, extra].some((paths) => paths.length > 0)
  return { name, status: differs ? 'different' : 'whole', missing, changed, extra }
}

/**
 * The files of weights that the graphs among paths name; a damaged graph names none, and is reported as
 * changed.
 */
async function weightsOf(folder: string, paths: string[]): Promise<string[]> {
  const graphs = paths.filter((path) => path.endsWith('.onnx'))
  const named = await Promise.all(
    graphs.map((path) => externalDataOf(join(folder, path), path).catch(() => []))
  )
  return [...new Set(named.flat())]
}
