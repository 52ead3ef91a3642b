import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { syncPath } from '../fs/durable-write.js'
import { exists } from '../fs/exists.js'
import { withLock } from '../fs/exclusive-lock.js'
import { diskError } from './disk.js'

/**
 * The folder under MODELS_DIR in which pulls are prepared: on the same disk, so that a package enters by
 * rename.
 */
export const PULLING = '.pulling'

/** Where one repository's package lies and is worked on. */
export interface Workplace {
  /** The package itself. */
  target: string
  root: string
  /** Whole and partial downloads of a commit. */
  downloads: (commit: string) => string
  /** The package as it will be. */
  assembled: string
  /** The package that was, while it is replaced. */
  aside: string
}

/** The places of a repository under MODELS_DIR. */
export function workplace(modelsDir: string, repo: string): Workplace {
  const root = join(modelsDir, PULLING, repo.replace('/', '--'))
  return {
    target: join(modelsDir, ...repo.split('/')),
    root,
    downloads: (commit) => join(root, commit),
    assembled: join(root, 'assembled'),
    aside: join(root, 'aside')
  }
}

export interface Occupation {
  modelsDir: string
  repo: string
  signal: AbortSignal
  onWait: (holder: string) => void
}

/**
 * Works on a package while no other process does, after mending what a crash left. Throws what the work
 * throws, and an Error that says what to do when MODELS_DIR can't be written to or its disk is full.
 */
export async function occupy<T>(
  { modelsDir, repo, signal, onWait }: Occupation,
  work: (place: Workplace) => Promise<T>
): Promise<T> {
  const place = workplace(modelsDir, repo)
  try {
    await mkdir(place.root, { recursive: true })
    return await withLock({ path: join(place.root, 'lock'), signal, onWait }, async () => {
      await mend(place)
      return work(place)
    })
  } catch (error) {
    throw diskError(error, modelsDir)
  }
}

/**
 * Puts the assembled package, whose files are synced, where the old one is. A crash leaves the old, the new,
 * or what `fix` fixes.
 */
export async function install({ target, assembled, aside }: Workplace): Promise<void> {
  await mkdir(dirname(target), { recursive: true })
  if (await exists(target)) await rename(target, aside)
  await rename(assembled, target)
  await syncPath(dirname(target))
  await syncPath(dirname(assembled))
  await rm(aside, { recursive: true, force: true })
}

/**
 * After a crash between the two renames of `install` the old package comes back; after one behind them its
 * remains go.
 */
async function mend({ target, assembled, aside }: Workplace): Promise<void> {
  if ((await exists(aside)) && !(await exists(target))) await rename(aside, target)
  await rm(aside, { recursive: true, force: true })
  await rm(assembled, { recursive: true, force: true })
}

/** Whether an unfinished pull left something in the root of a workplace. */
export async function hasLeftovers(root: string): Promise<boolean> {
  return (await leftovers(root)).length > 0
}

/** Deletes all in the root of a workplace but the lock, which others may wait for. */
export async function sweep(root: string): Promise<void> {
  for (const name of await leftovers(root)) await rm(join(root, name), { recursive: true, force: true })
}

async function leftovers(root: string): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
}
