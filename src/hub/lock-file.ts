import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Type, type Static } from 'typebox'
import { Check } from 'typebox/value'
import { LOCK_FILE } from '../packages/layouts.js'
import { VARIANTS } from '../packages/variants.js'
import { isSafePath } from './safe-path.js'

const lockSchema = Type.Object({
  repo: Type.String(),
  endpoint: Type.String(),
  revision: Type.String(),
  commit: Type.String(),
  variants: Type.Array(Type.Enum([...VARIANTS])),
  files: Type.Record(
    Type.String(),
    Type.Object({ size: Type.Integer({ minimum: 0 }), sha256: Type.String() })
  ),
  pulled_at: Type.String()
})

/** What was pulled into a package, and from where: `semblance.lock.json`. */
export type PackageLock = Static<typeof lockSchema>

/**
 * The lock file of a package; undefined where it has none. Throws an Error when it can't be read or is none.
 */
export async function readLock(folder: string): Promise<PackageLock | undefined> {
  const path = join(folder, LOCK_FILE)
  try {
    const lock: unknown = JSON.parse(await readFile(path, 'utf8'))
    if (Check(lockSchema, lock) && Object.keys(lock.files).every(isSafePath)) return lock
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    if (!(error instanceof SyntaxError)) throw error
  }
  throw new Error(`${path} is damaged; delete it and pull again.`)
}

/**
 * Writes the lock file into a folder, keys sorted, so that two of the same content differ in their time only.
 */
export async function writeLock(folder: string, lock: PackageLock): Promise<void> {
  const { files, variants, ...rest } = lock
  const sorted = sortKeys({ ...rest, variants: variants.toSorted(), files: sortKeys(files) })
  await writeFile(join(folder, LOCK_FILE), JSON.stringify(sorted, null, 2) + '\n', { flush: true })
}

function sortKeys<T>(value: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
