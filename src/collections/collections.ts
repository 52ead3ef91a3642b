import { Batcher } from '../batcher.js'
import { CollectionConflict, CollectionNotFound, fromErrorShape, isPublicError } from '../errors.js'
import { startThreads } from '../threads.js'
import { createCollection, type Collection, type CollectionParts } from './collection.js'
import { isHidden, nextName, replacedName, type CollectionSettings, type MutableSettings, type StoredCollection } from './record.js'
import { createReplacement, type Replacement } from './replacement.js'
import type { SearcherReport } from './searcher-worker.js'
import type { WriteAnswer, Written } from './store/writes.js'
import type { RawWrite } from './writer-worker.js'

export interface CollectionsOptions {
  dataDir: string
  /** Told how far the indexes are, while they are built at the start. */
  onProgress?: (progress: { indexed: number; total: number }) => void
  /** Told what went wrong and was got over: a damaged snapshot, say. */
  onProblem?: (problem: string) => void
  onWorkerDeath?: (error: Error) => void
}

/** All collections of a data folder. */
export interface Collections {
  /**
   * Creates a collection, or gives the one of that name the new mutable settings; `settings` may be made from those it
   * has. Throws COLLECTION_CONFLICT when another of its settings differs.
   */
  create(name: string, settings: (existing?: CollectionSettings) => Omit<CollectionSettings, 'name'>): Promise<{ collection: Collection; created: boolean }>
  /** Throws COLLECTION_NOT_FOUND. */
  get(name: string): Collection
  list(): Collection[]
  /** Removes a collection with all its records. Throws COLLECTION_NOT_FOUND. */
  drop(name: string): Promise<void>
  /**
   * Begins a replacement of a collection with embeddings of another encoder, or goes on with one that is in the same
   * space. Throws COLLECTION_NOT_FOUND.
   */
  replacement(name: string, space: Pick<CollectionSettings, 'model' | 'fingerprint' | 'dimension'>): Promise<Replacement>
  /** The names of collections whose replacement was begun. */
  beingReplaced(): string[]
  /** Removes what was made of a replacement. */
  discardReplacement(name: string): Promise<void>
  /** What was saved of jobs, in the order of their creation. */
  jobs(): Promise<string[]>
  saveJob(job: { id: string; body: string; createdAt: number }): Promise<void>
  /** Embeddings that wait to enter their graph, in all collections. */
  pending(): Promise<number>
  /** Commits what was accepted, then lets go of the folder. May be called again. */
  close(): Promise<void>
}

export type Writer = typeof import('./writer-worker.js')
export type Searcher = typeof import('./searcher-worker.js')

/** Writes that go into one transaction, at most. */
const GROUP = 64
const MAX_WAITING_WRITES = 4096
/** Calls that the searcher holds at a time: adds that wait for the graphs among them, which must not keep searches out. */
const SEARCHER_CALLS = 10_000

/**
 * Opens a data folder: takes its lock, brings the store's schema up to date and reads the vectors of its indexes, whose
 * graphs are then built while they serve. Throws when another process has the folder or a newer version wrote it.
 */
export async function openCollections(options: CollectionsOptions): Promise<Collections> {
  const { writer, searcher } = await openThreads(options)
  // Group commit: what arrives while a transaction is being synced goes into the next one together.
  const writes = new Batcher<RawWrite, WriteAnswer>({
    run: (group) => writer.call('write', group),
    maxBatchSize: GROUP,
    maxDelayMs: 0,
    concurrency: 1,
    maxQueueSize: MAX_WAITING_WRITES
  })
  const commit = async (write: RawWrite): Promise<Written> => {
    const answer = await writes.add(write).catch(async (error) => {
      if (isPublicError(error) && error.code === 'WORKER_DIED') await recover()
      throw error
    })
    if ('failure' in answer) throw fromErrorShape(answer.failure)
    return answer
  }
  // The writer may have died after a commit and before it said so: memory is made to agree with the store again.
  const resync = async () => {
    await searcher.call('resync', undefined)
    await reload()
  }
  let recovering: Promise<void> | undefined
  const recover = () => (recovering ??= resync().finally(() => (recovering = undefined)))
  const byName = new Map<string, Collection>()
  const held = new Map<number, Promise<unknown>>()
  const turn = async (collection: number) => void (await held.get(collection))
  const hold = (stored: StoredCollection) => {
    const collection = createCollection(stored, { dataDir: options.dataDir, commit, searcher, turn })
    byName.set(stored.name, collection)
    return collection
  }
  const reload = async () => {
    const stored = await searcher.call('collections', undefined)
    byName.clear()
    stored.forEach(hold)
  }
  await reload()
  const list = collectionList({ byName, hold, commit, searcher })
  const replacements = replacementList({ byName, reload, commit, searcher, held, list })
  await replacements.dropReplaced()
  let closed: Promise<void> | undefined
  const close = async () => {
    await writes.close()
    await searcher.call('stop', undefined)
    await searcher.close()
    await writer.call('close', undefined)
    await writer.close()
  }
  return {
    ...list,
    ...replacements,
    jobs: () => searcher.call('jobs', undefined),
    saveJob: async (job) => void (await commit({ kind: 'job', ...job })),
    pending: () => searcher.call('pending', undefined),
    close: () => (closed ??= close())
  }
}

async function openThreads({ dataDir, onProgress, onProblem, onWorkerDeath: onDeath }: CollectionsOptions) {
  const workerData = { dataDir }
  const writer = await startThreads<Writer>(new URL('./writer-worker.js', import.meta.url), { count: 1, workerData, onDeath })
  const onReport = (report: unknown) => {
    const message = report as SearcherReport
    if ('problem' in message) onProblem?.(message.problem)
    else onProgress?.(message)
  }
  try {
    const searcher = await startThreads<Searcher>(new URL('./searcher-worker.js', import.meta.url), { count: 1, workerData, callsPerThread: SEARCHER_CALLS, onReport, onDeath })
    return { writer, searcher }
  } catch (error) {
    await writer.close()
    throw error
  }
}

interface ListParts extends Pick<CollectionParts, 'commit' | 'searcher'> {
  byName: Map<string, Collection>
  hold: (stored: StoredCollection) => Collection
}

type List = Pick<Collections, 'create' | 'get' | 'list' | 'drop'>

function collectionList({ byName, hold, commit, searcher }: ListParts): List {
  const get = (name: string) => {
    const collection = byName.get(name)
    if (!collection) throw new CollectionNotFound(name)
    return collection
  }
  const create = async (settings: CollectionSettings) => {
    const { created } = await commit({ kind: 'create', settings })
    const collection = hold(created!)
    await searcher.call('open', created!)
    return collection
  }
  const configure = async (stored: StoredCollection, { hnsw, storage }: MutableSettings) => {
    const changed = { ...stored, hnsw, storage }
    if (JSON.stringify(changed) === JSON.stringify(stored)) return get(stored.name)
    await commit({ kind: 'configure', collection: stored, settings: changed })
    await searcher.call('configure', changed)
    return hold(changed)
  }
  // One change of the list at a time: the names in memory and in the store change together.
  let lastChange: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(change: () => Promise<T>): Promise<T> => {
    const result = lastChange.then(change)
    lastChange = result.catch(() => undefined)
    return result
  }
  const dropOne = async (name: string) => {
    const { settings } = get(name)
    await commit({ kind: 'drop', collection: settings })
    byName.delete(name)
    await searcher.call('drop', settings.id)
  }
  return {
    get,
    list: () => [...byName.values()].filter(({ settings }) => !isHidden(settings)).sort((a, b) => (a.settings.name < b.settings.name ? -1 : 1)),
    create: (name, settingsOf) =>
      inTurn(async () => {
        const existing = byName.get(name)
        const settings = { name, ...settingsOf(existing?.settings) }
        if (!existing) return { collection: await create(settings), created: true }
        requireSame(existing.settings, settings)
        return { collection: await configure(existing.settings, settings), created: false }
      }),
    drop: (name) =>
      inTurn(async () => {
        await dropOne(name)
        if (byName.has(nextName(name))) await dropOne(nextName(name))
      })
  }
}

interface ReplacementListParts extends Omit<ListParts, 'hold'> {
  list: List
  /** Takes the collections anew from the store. */
  reload: () => Promise<void>
  /** What writes to a collection wait for, by its key. */
  held: Map<number, Promise<unknown>>
}

/** How long requests that began on a replaced collection may go on with it, in milliseconds. */
const REPLACED_FOR_MS = 10_000

function replacementList({ byName, reload, commit, searcher, held, list }: ReplacementListParts): Pick<Collections, 'replacement' | 'beingReplaced' | 'discardReplacement'> & { dropReplaced(): Promise<void> } {
  const drop = async (name: string) => void (byName.has(name) && (await list.drop(name)))
  const dropReplaced = async () => {
    for (const { settings } of byName.values()) if (isHidden(settings) && !settings.name.endsWith(nextName(''))) await drop(settings.name)
  }
  const rename = async ({ name, id }: StoredCollection) => {
    await reload()
    // One that the close of the service forestalls is dropped at the next start.
    setTimeout(() => void drop(replacedName(name, id)).catch(() => undefined), REPLACED_FOR_MS).unref()
  }
  return {
    dropReplaced,
    beingReplaced: () => [...byName.keys()].filter((name) => name.endsWith(nextName(''))).map((name) => name.slice(0, -nextName('').length)),
    discardReplacement: (name) => drop(nextName(name)),
    replacement: async (name, space) => {
      const { settings: source } = list.get(name)
      const begun = byName.get(nextName(name))?.settings
      if (begun && (begun.fingerprint !== space.fingerprint || begun.dimension !== space.dimension)) await drop(nextName(name))
      const { hnsw, storage } = source
      const { collection: target } = await list.create(nextName(name), () => ({ ...space, hnsw, storage }))
      return createReplacement({
        source, target, commit, searcher,
        hold: async (work) => {
          const working = work()
          held.set(source.id, working.catch(() => undefined))
          return working.finally(() => held.delete(source.id))
        },
        onReplaced: () => rename(source)
      })
    }
  }
}

function requireSame(existing: CollectionSettings, wanted: CollectionSettings): void {
  const immutable = ({ fingerprint, dimension, hnsw }: CollectionSettings) => ({
    fingerprint,
    dimension,
    m: hnsw.m,
    ef_construction: hnsw.efConstruction
  })
  const after = immutable(wanted)
  for (const [key, value] of Object.entries(immutable(existing))) {
    const asked = after[key as keyof typeof after]
    if (value !== asked) throw new CollectionConflict(existing.name, `${key} ${value}`, String(asked))
  }
}
