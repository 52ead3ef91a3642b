import { realpath, rename, rm, rmdir } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { syncPath } from '../fs/durable-write.js'
import { isPackage, packageNames } from './installed.js'
import { readLock } from './lock-file.js'
import { isRepoName } from './repo-name.js'
import { hasLeftovers, occupy, sweep, workplace, type Occupation, type Workplace } from './workplace.js'

export interface Removal extends Omit<Occupation, 'repo'> {
  name: string
  /** Removes a package without a lock file too, which can't be pulled again. */
  force: boolean
}

/**
 * Removes a package and what an unfinished pull of it left. Returns which of the two there was. Throws an
 * Error that says what to do when there is neither, when it lies outside MODELS_DIR, or was not pulled and
 * `force` is not said.
 */
export async function removePackage({
  name,
  force,
  ...occupation
}: Removal): Promise<'package' | 'downloads'> {
  const { modelsDir } = occupation
  const { target, root } = workplace(modelsDir, name)
  const installed = (await packageNames(modelsDir)).includes(name)
  if (!installed && !(isRepoName(name) && (await hasLeftovers(root))))
    throw new Error(`There is no package '${name}' under ${modelsDir}: see 'semblance models list'.`)
  if (installed) await requireInside(modelsDir, target)
  return occupy({ ...occupation, repo: name }, async (place) => {
    const found = await isPackage(place.target)
    const pulled = await readLock(place.target).then(
      (lock) => lock !== undefined,
      () => false
    )
    if (found && !pulled && !force)
      throw new Error(`${name} was not pulled, so it can't be pulled again; remove it with --force.`)
    if (found) await takeOut(place)
    await sweep(place.root)
    return found ? 'package' : 'downloads'
  })
}

/**
 * Out by rename first, so that a crash leaves no half package; not to the aside, which the next pull would
 * put back.
 */
async function takeOut({ target, root }: Workplace): Promise<void> {
  const removed = join(root, 'removed')
  await rm(removed, { recursive: true, force: true })
  await rename(target, removed)
  await syncPath(dirname(target))
  // The owner's folder goes with its last package.
  await rmdir(dirname(target)).catch(() => {})
}

/** An owner's folder may be a link to elsewhere. */
async function requireInside(modelsDir: string, target: string): Promise<void> {
  const path = relative(await realpath(modelsDir), await realpath(dirname(target)))
  if (path.startsWith('..')) throw new Error(`${target} is outside ${modelsDir} and is not removed.`)
}
