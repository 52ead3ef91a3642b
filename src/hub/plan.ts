import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Variant } from '../variants.js'
import { digestFile, matches } from './checksum.js'
import type { Hub } from './hub.js'
import { readLock, type PackageLock } from './lock-file.js'
import { packageFiles } from './package-files.js'
import { listFiles, resolveCommit, type RepoFile } from './repo-listing.js'
import type { RepoRevision } from './repo-name.js'
import { selectFiles } from './select-files.js'
import type { Workplace } from './workplace.js'

/** What a pull has to do. */
export interface PullPlan {
  commit: string
  /** The one asked for, and those of the same commit that are there. */
  variants: Variant[]
  files: RepoFile[]
  /** Files that are there and whole, by path: where, and their SHA-256. */
  present: Map<string, { from: string; sha256: string }>
  missing: RepoFile[]
  /** Paths in the package that no pull brought, and that stay. */
  own: string[]
  /** What was pulled before. */
  lock: PackageLock | undefined
}

export interface PlanRequest extends RepoRevision {
  variant: Variant
}

/** Asks the hub what there is and compares with what is here. Throws an Error that says what to do. */
export async function makePlan(hub: Hub, place: Workplace, { repo, revision, variant }: PlanRequest): Promise<PullPlan> {
  const lock = await readLock(place.target)
  const commit = await resolveCommit(hub, { repo, revision })
  const listed = await listFiles(hub, repo, commit)
  const variants = lock?.commit === commit ? [...new Set([...lock.variants, variant])] : [variant]
  const files = selectFiles(listed, variants)
  const present: PullPlan['present'] = new Map()
  for (const file of files) {
    const whole = await findWhole(file, [place.target, place.downloads(commit)], hub.signal)
    if (whole) present.set(file.path, whole)
  }
  const there = await packageFiles(place.target)
  if (!lock) refuseOthersWork(place.target, files.filter(({ path }) => there.includes(path) && present.get(path)?.from !== join(place.target, path)))
  const pulled = new Set([...files.map(({ path }) => path), ...Object.keys(lock?.files ?? {})])
  return { commit, variants, files, present, missing: files.filter(({ path }) => !present.has(path)), own: there.filter((path) => !pulled.has(path)), lock }
}

/** Whether the package is already what the plan is to make of it. */
export function isDone({ commit, variants, files, present, lock }: PullPlan, { target }: Workplace): boolean {
  const locked = Object.keys(lock?.files ?? {})
  return (
    lock?.commit === commit &&
    variants.every((variant) => lock.variants.includes(variant)) &&
    locked.length === files.length &&
    files.every(({ path }) => path in lock.files && present.get(path)?.from === join(target, path))
  )
}

async function findWhole(file: RepoFile, folders: string[], signal: AbortSignal): Promise<{ from: string; sha256: string } | undefined> {
  for (const folder of folders) {
    const from = join(folder, file.path)
    const found = await stat(from).catch(() => undefined)
    if (!found?.isFile() || found.size !== file.size) continue
    const digest = await digestFile(from, signal)
    if (matches(file, digest)) return { from, sha256: digest.sha256 }
  }
  return undefined
}

/** A folder without a lock file may be somebody's own model, which can't be had again. */
function refuseOthersWork(target: string, differing: RepoFile[]): void {
  if (differing.length === 0) return
  throw new Error(`${target} was not pulled, and its ${differing[0].path} differs from the hub's: move the folder away, or remove it with 'semblance models rm --force'.`)
}
