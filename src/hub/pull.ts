import { copyFile, link, mkdir, realpath, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { syncPath } from '../fs/durable-write.js'
import type { Variant } from '../packages/variants.js'
import { requireSpace } from './disk.js'
import { downloadFile, partialSize } from './download.js'
import type { Hub } from './hub.js'
import { writeLock } from './lock-file.js'
import { isDone, makePlan, type PlanRequest, type PullPlan } from './plan.js'
import type { RepoFile } from './repo-listing.js'
import { install, occupy, sweep, type Workplace } from './workplace.js'

export interface PullRequest extends PlanRequest {
  modelsDir: string
  /** Called when another pull of the repository is waited for. */
  onWait: (holder: string) => void
  /**
   * Called before downloads, with what is missing and how many bytes of it are there from before: for the
   * graphs, and again for the rest, since the graphs name the files of their weights.
   */
  onStart: (plan: Downloads, partials: Map<string, number>) => void
  /** Called with the bytes of a file that are there. */
  onProgress: (path: string, bytes: number) => void
}

/** Files of a commit that are to be downloaded. */
export type Downloads = Pick<PullPlan, 'commit' | 'missing'>

export interface Pulled {
  commit: string
  variants: Variant[]
  /** Files downloaded, none where there was nothing to do. */
  downloaded: RepoFile[]
  /** Whether the package is another one than before. */
  changed: boolean
  folder: string
}

const PARALLEL = 4

/**
 * Brings one variant of a repository into MODELS_DIR: what is there and whole is kept, the rest downloaded,
 * checked, and put in place by rename. What cuts a pull off, a kill included, leaves it to the next to
 * continue. Throws an Error that says what to do.
 */
export async function pull(hub: Hub, request: PullRequest): Promise<Pulled> {
  return occupy({ ...request, signal: hub.signal }, async (place) => {
    const bring = async (commit: string, missing: RepoFile[], later: RepoFile[]) => {
      await fetchMissing(hub, { place, plan: { commit, missing }, later, request })
    }
    const plan = await makePlan(hub, place, { request, bring })
    const { commit, variants, missing, fetchedGraphs } = plan
    const changed = !isDone(plan, place)
    if (changed) {
      const fetched = await fetchMissing(hub, { place, plan, request })
      await assemble(place, { ...plan, present: new Map([...plan.present, ...fetched]) })
      await writeLock(place.assembled, {
        repo: request.repo,
        endpoint: hub.endpoint,
        revision: request.revision,
        commit,
        variants,
        files: Object.fromEntries(
          plan.files.map(({ path, size }) => [
            path,
            { size, sha256: (fetched.get(path) ?? plan.present.get(path))!.sha256 }
          ])
        ),
        pulled_at: new Date().toISOString()
      })
      await syncPath(place.assembled)
      await install(place)
    }
    // The downloads are in the package now, or were begun for another commit.
    await sweep(place.root)
    return { commit, variants, downloaded: [...fetchedGraphs, ...missing], changed, folder: place.target }
  })
}

/** Downloads what the plan lacks, several files at once; the first failure stops the others. */
async function fetchMissing(
  hub: Hub,
  {
    place,
    plan,
    later = [],
    request
  }: { place: Workplace; plan: Downloads; later?: RepoFile[]; request: PullRequest }
): Promise<PullPlan['present']> {
  const folder = place.downloads(plan.commit)
  const partialOf = ({ path, size }: RepoFile) => partialSize(join(folder, path), size)
  const partials = new Map<string, number>()
  for (const file of plan.missing) partials.set(file.path, await partialOf(file))
  let needed = 0
  for (const file of [...plan.missing, ...later])
    needed += file.size - (partials.get(file.path) ?? (await partialOf(file)))
  await requireSpace(place.root, needed)
  request.onStart(plan, partials)
  const fetched: PullPlan['present'] = new Map()
  await inParallel(hub, plan.missing, async (file, signal) => {
    const target = join(folder, file.path)
    const onProgress = (count: number) => request.onProgress(file.path, count)
    const sha256 = await downloadFile(
      { ...hub, signal },
      { file, repo: request.repo, revision: plan.commit, target, onProgress }
    )
    fetched.set(file.path, { from: target, sha256 })
  })
  return fetched
}

/** Small files first: they show at once whether the repository may be read. */
async function inParallel(
  hub: Hub,
  files: RepoFile[],
  work: (file: RepoFile, signal: AbortSignal) => Promise<void>
): Promise<void> {
  const queue = files.toSorted((a, b) => a.size - b.size)
  const stop = new AbortController()
  const signal = AbortSignal.any([hub.signal, stop.signal])
  let failure: unknown
  const worker = async () => {
    for (let file = queue.shift(); file && !signal.aborted; file = queue.shift()) await work(file, signal)
  }
  const failed = (error: unknown) => {
    failure ??= error
    stop.abort()
  }
  // All are waited for: nothing may be written any more once the lock is given back.
  await Promise.all(Array.from({ length: PARALLEL }, () => worker().catch(failed)))
  if (failure) throw failure
  hub.signal.throwIfAborted()
}

/** Gives each file its place in the package to be, synced. The downloads keep theirs until it is in. */
async function assemble({ target, assembled }: Workplace, { present, own }: PullPlan): Promise<void> {
  await mkdir(assembled)
  const folders = new Set([assembled])
  const place = async (from: string, path: string) => {
    const to = join(assembled, path)
    await linkFile(from, to)
    await syncPath(to)
    for (let folder = dirname(to); folder !== assembled; folder = dirname(folder)) folders.add(folder)
  }
  for (const [path, { from }] of present) await place(from, path)
  for (const path of own) if (await isFile(join(target, path))) await place(join(target, path), path)
  for (const folder of folders) await syncPath(folder)
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false
  )
}

/** Gives a file a second place: a hard link, or a copy where the file system has none. */
async function linkFile(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true })
  // A link to a symbolic link would be one too, and point elsewhere from its new place.
  const source = await realpath(from)
  await link(source, to).catch(() => copyFile(source, to))
}
