import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { externalDataOf } from '../packages/external-data.js'
import { packageFiles } from '../packages/list-files.js'
import { isLikelyWeights } from '../packages/towers.js'
import type { Variant } from '../packages/variants.js'
import { digestFile, matches } from './checksum.js'
import type { Hub } from './hub.js'
import { readLock, type PackageLock } from './lock-file.js'
import { listFiles, resolveCommit, type RepoFile } from './repo-listing.js'
import type { RepoRevision } from './repo-name.js'
import { selectFiles, selectWeights, type Selection } from './select-files.js'
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
  /** Graphs that were downloaded to make the plan: they name the files of weights. */
  fetchedGraphs: RepoFile[]
  /** Paths in the package that no pull brought, and that stay. */
  own: string[]
  /** What was pulled before. */
  lock: PackageLock | undefined
}

export interface PlanRequest extends RepoRevision {
  variant: Variant
}

/**
 * Downloads files to where they belong for a commit; `later` are others that will have to follow, as far as
 * is known.
 */
export type Bring = (commit: string, files: RepoFile[], later: RepoFile[]) => Promise<void>

/**
 * Asks the hub what there is and compares with what is here. The graphs have to be here to know which files
 * hold their weights: `bring` gets those that are not. Throws an Error that says what to do.
 */
export async function makePlan(
  hub: Hub,
  place: Workplace,
  { request, bring }: { request: PlanRequest; bring: Bring }
): Promise<PullPlan> {
  const { repo, revision, variant } = request
  const lock = await readLock(place.target)
  const commit = await resolveCommit(hub, { repo, revision })
  const listed = await listFiles(hub, repo, commit)
  const variants = lock?.commit === commit ? [...new Set([...lock.variants, variant])] : [variant]
  const selection = selectFiles(listed, variants)
  const folders = [place.target, place.downloads(commit)]
  const there = await packageFiles(place.target)
  const refuse = (files: RepoFile[], present: PullPlan['present']) => {
    if (!lock)
      refuseOthersWork(
        place.target,
        files.filter(
          ({ path }) => there.includes(path) && present.get(path)?.from !== join(place.target, path)
        )
      )
  }
  const early = [...selection.settings, ...selection.graphs]
  const present = await findPresent(early, folders, hub.signal)
  refuse(early, present)
  const fetchedGraphs = selection.graphs.filter(({ path }) => !present.has(path))
  if (fetchedGraphs.length > 0) {
    const likely = likelyWeights(listed, selection.graphs)
    for (const [path, whole] of await findPresent(likely, folders, hub.signal)) present.set(path, whole)
    await bring(
      commit,
      fetchedGraphs,
      [...selection.settings, ...likely].filter(({ path }) => !present.has(path))
    )
    for (const [path, whole] of await findPresent(fetchedGraphs, folders, hub.signal))
      present.set(path, whole)
  }
  const weights = await weightsOf(selection, listed, present)
  for (const [path, whole] of await findPresent(weights, folders, hub.signal)) present.set(path, whole)
  refuse(weights, present)
  const files = [...early, ...weights]
  const pulled = new Set([...files.map(({ path }) => path), ...Object.keys(lock?.files ?? {})])
  return {
    commit,
    variants,
    files,
    present,
    fetchedGraphs,
    lock,
    missing: files.filter(({ path }) => !present.has(path)),
    own: there.filter((path) => !pulled.has(path))
  }
}

/** Files that by their names hold weights of graphs that are not here yet. */
function likelyWeights(listed: RepoFile[], graphs: RepoFile[]): RepoFile[] {
  return listed.filter(({ path }) => graphs.some((graph) => isLikelyWeights(path, graph.path)))
}

/** The files of weights that the graphs name; several graphs may share one. */
async function weightsOf(
  { graphs, settings }: Selection,
  listed: RepoFile[],
  present: PullPlan['present']
): Promise<RepoFile[]> {
  const weights = new Map<string, RepoFile>()
  for (const { path } of graphs) {
    const named = await externalDataOf(present.get(path)!.from, path)
    for (const file of selectWeights(listed, path, named)) weights.set(file.path, file)
  }
  for (const { path } of [...graphs, ...settings]) weights.delete(path)
  return [...weights.values()]
}

async function findPresent(
  files: RepoFile[],
  folders: string[],
  signal: AbortSignal
): Promise<PullPlan['present']> {
  const present: PullPlan['present'] = new Map()
  for (const file of files) {
    const whole = await findWhole(file, folders, signal)
    if (whole) present.set(file.path, whole)
  }
  return present
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

async function findWhole(
  file: RepoFile,
  folders: string[],
  signal: AbortSignal
): Promise<{ from: string; sha256: string } | undefined> {
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
  throw new Error(
    `${target} was not pulled, and its ${differing[0].path} differs from the hub's file: move the ` +
      `folder away, or remove it with 'semblance models rm --force'.`
  )
}
