import { CollectionConflict, CollectionNotFound, RestoreRunning } from '../errors.js'
import { createCollection, type Collection, type CollectionParts } from './collection.js'
import type { StoreOptions } from './folder-threads.js'
import type { Folder } from './folder.js'
import {
  isHidden,
  nextName,
  replacedName,
  restoredName,
  type CollectionSettings,
  type MutableSettings,
  type StoredCollection
} from './record.js'
import { createReplacement, type Replacement } from './replacement.js'
import { createRestoration, type Restoration } from './restoration.js'
import type { StoreRead } from './store-read.js'
import type { CollectionKey } from './sqlite/record-change.js'

/** All collections of a store. */
export interface Collections {
  /**
   * Creates a collection, or gives the one of that name the new mutable settings; `settings` may be made from
   * those it has. Throws COLLECTION_CONFLICT when another of its settings differs.
   */
  create(
    name: string,
    settings: (existing?: CollectionSettings) => Omit<CollectionSettings, 'name'>
  ): Promise<{ collection: Collection; created: boolean }>
  /** Throws COLLECTION_NOT_FOUND. */
  get(name: string): Promise<Collection>
  /** In the order of their names. */
  list(): Promise<Collection[]>
  /** Removes a collection with all its records. Throws COLLECTION_NOT_FOUND. */
  drop(name: string): Promise<void>
  /**
   * Begins a replacement of a collection with embeddings of another encoder, or goes on with one that is in
   * the same space. Throws COLLECTION_NOT_FOUND.
   */
  replacement(
    name: string,
    space: Pick<CollectionSettings, 'model' | 'fingerprint' | 'dimension'>
  ): Promise<Replacement>
  /** The names of collections whose replacement was begun. */
  beingReplaced(): Promise<string[]>
  /** Removes what was made of a replacement. */
  discardReplacement(name: string): Promise<void>
  /** Begins to make a collection of a backup. Throws RESTORE_RUNNING when another one is under way. */
  restoration(settings: CollectionSettings): Promise<Restoration>
}

/** The collections of a data folder. */
export async function openCollections(folder: Folder, onProblem?: OnProblem): Promise<Collections> {
  const { commit, searcher, read } = folder
  const byName = new Map<string, Collection>()
  const held = new Map<number, Promise<unknown>>()
  const turn = async (collection: number) => void (await held.get(collection))
  const hold = (stored: StoredCollection) => {
    const collection = createCollection(stored, { ...folder, turn })
    byName.set(stored.name, collection)
    return collection
  }
  const reload = () =>
    read('collections').then(
      (stored) => (byName.clear(), stored.forEach(hold)),
      (error) => (folder.outdate(), Promise.reject(error))
    )
  folder.onResync(reload)
  await reload()
  const list = collectionList({ byName, hold, commit, searcher })
  const { dropReplaced, ...replacements } = replacementList({
    byName,
    reload,
    commit,
    searcher,
    read,
    held,
    list,
    onProblem
  })
  await dropReplaced()
  const { find, create, drop } = list
  return { get: async (name) => find(name), create, drop, list: list.list, ...replacements }
}

type OnProblem = NonNullable<StoreOptions['onProblem']>

interface ListParts extends Pick<CollectionParts, 'commit' | 'searcher'> {
  byName: Map<string, Collection>
  hold: (stored: StoredCollection) => Collection
}

interface List extends Pick<Collections, 'create' | 'list' | 'drop'> {
  /** Throws COLLECTION_NOT_FOUND. */
  find(name: string): Collection
  /** Makes a change of the list when those before it are made. */
  inTurn<T>(change: () => Promise<T>): Promise<T>
}

function collectionList({ byName, hold, commit, searcher }: ListParts): List {
  const find = (name: string) => {
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
    if (JSON.stringify(changed) === JSON.stringify(stored)) return find(stored.name)
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
    const { settings } = find(name)
    await commit({ kind: 'drop', collection: settings })
    byName.delete(name)
    await searcher.call('drop', settings.id)
  }
  return {
    find,
    inTurn,
    list: async () =>
      [...byName.values()]
        .filter(({ settings }) => !isHidden(settings))
        .sort((a, b) => (a.settings.name < b.settings.name ? -1 : 1)),
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
  read: StoreRead
  list: List
  /** Takes the collections anew from the store. */
  reload: () => Promise<void>
  /** What writes to a collection wait for, by its key. */
  held: Map<number, Promise<unknown>>
  onProblem: OnProblem | undefined
}

/** How long requests that began on a replaced collection may go on with it, in milliseconds. */
const REPLACED_FOR_MS = 10_000

function replacementList({
  byName,
  reload,
  commit,
  searcher,
  read,
  held,
  list,
  onProblem
}: ReplacementListParts): Pick<
  Collections,
  'replacement' | 'beingReplaced' | 'discardReplacement' | 'restoration'
> & { dropReplaced(): Promise<void> } {
  const drop = async (name: string) => void (byName.has(name) && (await list.drop(name)))
  // On a full disk, say: it lies there, out of sight, until the next start.
  const onFailedDrop = (error: Error) =>
    onProblem?.(`the remains of a deleted collection could not be removed: ${error.message}`)
  const dropReplaced = async () => {
    for (const { settings } of byName.values())
      if (isHidden(settings) && !settings.name.endsWith(nextName('')))
        await drop(settings.name).catch(onFailedDrop)
  }
  const restoring = new Set<string>()
  // One that the close of the service forestalls is dropped at the next start.
  const dropLater = ({ name, id }: CollectionKey) =>
    void setTimeout(() => void drop(replacedName(name, id)).catch(() => undefined), REPLACED_FOR_MS).unref()
  return {
    dropReplaced,
    beingReplaced: async () =>
      [...byName.keys()]
        .filter((name) => name.endsWith(nextName('')))
        .map((name) => name.slice(0, -nextName('').length)),
    discardReplacement: (name) => drop(nextName(name)),
    replacement: async (name, space) => {
      const { settings: source } = list.find(name)
      const begun = byName.get(nextName(name))?.settings
      if (begun && (begun.fingerprint !== space.fingerprint || begun.dimension !== space.dimension))
        await drop(nextName(name))
      const { hnsw, storage } = source
      const { collection: target } = await list.create(nextName(name), () => ({ ...space, hnsw, storage }))
      return createReplacement({
        source,
        target,
        commit,
        searcher,
        read,
        hold: async (work) => {
          const working = work()
          held.set(
            source.id,
            working.catch(() => undefined)
          )
          return working.finally(() => held.delete(source.id))
        },
        onReplaced: () =>
          list.inTurn(async () => {
            await reload()
            dropLater(source)
          })
      })
    },
    restoration: async ({ name, ...settings }) => {
      if (restoring.has(name)) throw new RestoreRunning(name)
      restoring.add(name)
      try {
        // One whose discarding failed may be there still.
        await drop(restoredName(name))
        const { collection: target } = await list.create(restoredName(name), () => settings)
        const onInstated = async (displaced?: CollectionKey) => {
          await reload()
          if (displaced) dropLater(displaced)
          return list.find(name)
        }
        const restoration = createRestoration({ name, target, commit, searcher, onInstated })
        return {
          ...restoration,
          // In turn, since the names in memory change with those in the store.
          instate: (options) => list.inTurn(() => restoration.instate(options)),
          end: () => drop(restoredName(name)).finally(() => restoring.delete(name))
        }
      } catch (error) {
        restoring.delete(name)
        throw error
      }
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
