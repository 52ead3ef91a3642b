import { LRUCache } from 'lru-cache'
import { Closed, ClassifierNotFound } from '../errors.js'
import { abortable } from '../threading/abortable.js'
import { Semaphore } from '../threading/semaphore.js'
import { startThreadPool } from '../threading/thread-pool.js'
import { stopFlag } from '../collections/slices.js'
import type { ClassifierStore } from '../collections/stores/classifier-store.js'
import type { TrainingSet } from './cross-validation.js'
import type { Layout } from './features.js'
import { linearClassifier, type LinearClassifier } from './linear-classifier.js'
import type { MethodName, Trained, TrainOptions } from './train-classifier.js'
import type { TrainedWeights } from './training-worker.js'

/** What is known of a classifier beside its weights. */
export interface StoredClassifier extends Omit<Trained, 'classifier'> {
  name: string
  /** Of the encoder that its examples were encoded with. */
  model: string
  fingerprint: string
  dimension: number
  method: MethodName
  layout: Layout
  labels: { label: string; examples: number }[]
  /** What the labels were put into, where there was a prior. */
  templates: string[] | null
  /** The collection whose records were the examples. */
  collection: string | null
  /** When that was created: a later one of its name is another. */
  collectionCreatedAt?: number
  seed: number
  /** Milliseconds since 1970. */
  createdAt: number
}

/** A classifier that can be asked. */
export interface LoadedClassifier {
  stored: StoredClassifier
  classifier: LinearClassifier
}

/** The classifiers of a service. */
export interface Classifiers {
  /** In the order of their names. */
  list(): StoredClassifier[]
  /** Those of a name: one of each collection, and one of none. */
  named(name: string): StoredClassifier[]
  /** With its weights, which are read when they are first asked for. Throws CLASSIFIER_NOT_FOUND. */
  load(stored: StoredClassifier): Promise<LoadedClassifier>
  /**
   * Does the work of a training, from its examples on, which trains in a thread by the function that it is
   * given. Throws QUEUE_FULL where others train already.
   */
  training<T>(work: (train: Train) => Promise<T>): Promise<T>
  /**
   * Puts a classifier under its name, which is one of its collection; the one that was there serves until
   * then. Resolves, once it is durable, to the one that was there.
   */
  save(stored: StoredClassifier, weights: Float32Array): Promise<StoredClassifier | undefined>
  /** Throws CLASSIFIER_NOT_FOUND. */
  drop(stored: StoredClassifier): Promise<void>
  /** Stops what is being trained. */
  close(): Promise<void>
}

/** Trains in a thread of its own. Throws the signal's reason. */
export type Train = (
  set: TrainingSet,
  options: Omit<TrainOptions, 'onPass'>,
  signal: AbortSignal
) => Promise<TrainedWeights>

/** Classifiers that are trained at a time, each in a thread. */
const AT_ONCE = 2
/** Memory for the weights of those that were asked last, in bytes. */
const LOADED_BYTES = 256 << 20

/** The classifiers in the store of a service. */
export async function openClassifiers(store: ClassifierStore): Promise<Classifiers> {
  const byKey = new Map<string, StoredClassifier>()
  const loaded = new LRUCache<string, LoadedClassifier>({
    maxSize: LOADED_BYTES,
    sizeCalculation: ({ classifier: { weights } }) => weights.byteLength
  })
  const reload = async () => {
    const bodies = await store.list()
    byKey.clear()
    loaded.clear()
    for (const body of bodies) {
      const stored = JSON.parse(body) as StoredClassifier
      byKey.set(keyOf(stored), stored)
    }
  }
  await reload()
  // What became of a write that failed only the store knows.
  const orReload = <T>(write: Promise<T>) =>
    write.catch(async (error) => (await reload().catch(() => undefined), Promise.reject(error)))
  const list = () =>
    [...byKey.values()].sort((a, b) =>
      a.name < b.name || (a.name === b.name && keyOf(a) < keyOf(b)) ? -1 : 1
    )
  const training = createTraining()
  return {
    list,
    named: (name) => list().filter((stored) => stored.name === name),
    load: async (expected) => {
      const key = keyOf(expected)
      const known = loaded.get(key)
      if (known) return known
      const row = await store.get(key)
      if (!row) throw new ClassifierNotFound(expected.name)
      const found = {
        stored: JSON.parse(row.body) as StoredClassifier,
        classifier: fromWeights(row.weights, JSON.parse(row.body))
      }
      // Another may have taken its place meanwhile.
      if (byKey.get(key) === expected && expected.createdAt === found.stored.createdAt) loaded.set(key, found)
      return found
    },
    training: training.training,
    save: inTurn(async (stored: StoredClassifier, weights: Float32Array) => {
      const key = keyOf(stored)
      const existing = byKey.get(key)
      await orReload(
        store.save({
          name: key,
          body: JSON.stringify(stored),
          weights: new Uint8Array(weights.buffer, weights.byteOffset, weights.byteLength)
        })
      )
      byKey.set(key, stored)
      loaded.delete(key)
      return existing
    }),
    drop: async (stored) => {
      const key = keyOf(stored)
      const existed = await orReload(store.remove(key))
      byKey.delete(key)
      loaded.delete(key)
      if (!existed) throw new ClassifierNotFound(stored.name)
    },
    close: training.close
  }
}

/** What the store knows a classifier by. No name of a collection has a slash. */
function keyOf({ name, collection }: StoredClassifier): string {
  return collection === null ? name : `${collection}/${name}`
}

/** Calls that wait for those before them. */
function inTurn<Arguments extends unknown[], T>(
  call: (...args: Arguments) => Promise<T>
): (...args: Arguments) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (...args) => {
    const turn = last.then(() => call(...args))
    last = turn.catch(() => undefined)
    return turn
  }
}

function fromWeights(
  { buffer, byteOffset, byteLength }: Uint8Array,
  { labels }: StoredClassifier
): LinearClassifier {
  // A copy: the bytes may begin anywhere.
  const values = Float64Array.from(new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength)))
  return linearClassifier(values.slice(0, -labels.length), values.slice(-labels.length))
}

function createTraining(): Pick<Classifiers, 'training' | 'close'> {
  const semaphore = new Semaphore(AT_ONCE)
  const closing = new AbortController()
  const running = new Set<Promise<unknown>>()
  const run = async (set: TrainingSet, options: Omit<TrainOptions, 'onPass'>, signal: AbortSignal) => {
    const thread = await startThreadPool<typeof import('./training-worker.js')>(
      new URL('./training-worker.js', import.meta.url),
      { name: 'training', count: 1, workerData: null }
    )
    try {
      return await thread.call('train', { set, options, stop: stopFlag(signal) })
    } finally {
      await thread.close()
    }
  }
  return {
    training: async (work) => {
      const release = semaphore.acquireNow()
      // A thread may end later than those who wait for it.
      let ended: Promise<unknown> = Promise.resolve()
      try {
        return await work((set, options, callers) => {
          const signal = AbortSignal.any([callers, closing.signal])
          const trained = run(set, options, signal)
          const own = trained.then(
            () => undefined,
            () => undefined
          )
          ended = own
          running.add(own)
          void own.finally(() => running.delete(own))
          return abortable(trained, signal)
        })
      } finally {
        void ended.finally(release)
      }
    },
    close: async () => {
      closing.abort(new Closed())
      await Promise.all(running)
    }
  }
}
