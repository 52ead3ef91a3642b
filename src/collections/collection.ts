import type { CallOptions } from '../threading/call-options.js'
import { CollectionNotFound } from '../errors.js'
import { JsonText } from '../json/json-text.js'
import { abortable } from '../threading/abortable.js'
import { copyBuffers, handOver } from '../threading/hand-over.js'
import type { ThreadPool } from '../threading/thread-pool.js'
import { mapYielding } from '../threading/yield-to-event-loop.js'
import type { Searcher } from './folder-threads.js'
import type { Explanation } from './collection-index.js'
import type { Facets } from './facets.js'
import type { Filter } from './filter.js'
import type { Match, Modality, RecordPatch, RecordWrite, StoredCollection, StoredRecord } from './record.js'
import type { Matrix, MatrixOptions } from './matrix.js'
import type { PackedRecord } from './packed-matches.js'
import type { ScoresOptions } from './scores.js'
import type { SearchCall } from './searcher-worker.js'
import type { Selection } from './selection.js'
import { stopFlag } from './slices.js'
import { keptSnapshots, type KeptSnapshot } from './snapshots.js'
import type { BulkLoad, BulkLoadStep, FailedLine } from './stores/bulk-load.js'
import type { RecordPage } from './stores/record-page.js'
import type { Written } from './sqlite/writes.js'
import type { SavedGraph } from './maintenance.js'
import type { StoreRead } from './store-read.js'
import type { Waiting } from './waiting.js'
import type { RawWrite } from './writer-worker.js'

/**
 * A named set of records that share one encoder. What waits is dropped when its caller's signal aborts; a
 * write that was handed to the writer by then is done all the same, wholly.
 */
export interface Collection {
  readonly settings: StoredCollection
  /**
   * Writes records, each replacing what was under its id; durable and searchable when it resolves. With the
   * step of a bulk load, which commits with them, there may be none. Throws BULK_LOAD_RUNNING for one that
   * does not follow on the last.
   */
  upsert(
    records: RecordWrite[],
    options?: { load?: BulkLoadStep },
    callOptions?: CallOptions
  ): Promise<{ id: string; status: 'created' | 'updated' }[]>
  /**
   * Changes parts of a record. Throws RECORD_NOT_FOUND, and RECORD_INVALID when nothing would be left to
   * search by.
   */
  patch(id: string, patch: RecordPatch, callOptions?: CallOptions): Promise<void>
  /** Removes records, with `updatedAt` those that were not changed since; by id, whether it was removed. */
  delete(
    ids: string[],
    options?: { updatedAt?: number[] },
    callOptions?: CallOptions
  ): Promise<{ id: string; existed: boolean }[]>
  /** How far a bulk load is, by its key; undefined where there is none. */
  bulkLoad(key: string): Promise<BulkLoad | undefined>
  /** The first of its lines that failed, in their order. */
  failedLines(key: string): Promise<FailedLine[]>
  get(id: string, callOptions?: CallOptions): Promise<StoredRecord | undefined>
  /** The L2-normalised embeddings of a record. */
  embeddings(id: string, callOptions?: CallOptions): Promise<Partial<Record<Modality, Float32Array>>>
  /** Records in the order of their ids (by bytes), those that pass a filter. */
  list(page: RecordPage & { filter?: Filter }, callOptions?: CallOptions): Promise<StoredRecord<JsonText>[]>
  /** The records that pass a filter, as they are now. */
  select(filter: Filter, callOptions?: CallOptions): Promise<Selection>
  /** The records that compare best with a normalised query, best first. */
  search(
    query: Float32Array,
    options: SearchOptions,
    callOptions?: CallOptions
  ): Promise<{ matches: Match[]; explanation: Explanation }>
  /**
   * What the records that pass a filter hold in the fields of their metadata, each with up to `limit` values.
   */
  facets(options: { filter?: Filter; limit: number }, callOptions?: CallOptions): Promise<Facets>
  /** The nearest neighbors among a sample of the records. */
  matrix(options: MatrixOptions, callOptions?: CallOptions): Promise<Matrix>
  /** The exact cosines of a normalised query with some records; NaN for those without that embedding. */
  scores(options: ScoresOptions, callOptions?: CallOptions): Promise<Float32Array>
  /**
   * Saves its graphs, so that the next start need not build them. Throws STORAGE_FULL, and
   * COLLECTION_NOT_FOUND when it was dropped meanwhile.
   */
  snapshot(): Promise<SavedGraph[]>
  /** The newest snapshots of its graphs. */
  snapshots(): Promise<KeptSnapshot[]>
  /** Counts; `bytes` are those of kept images and embeddings. */
  counts(): Promise<{ records: number; images: number; texts: number; bytes: number }>
}

export type SearchOptions = Omit<SearchCall, 'collection' | 'query'>

export interface CollectionParts {
  dataDir: string
  commit: (write: RawWrite, callOptions?: CallOptions) => Promise<Written>
  searcher: ThreadPool<Searcher>
  read: StoreRead
  /** Makes a read, or a long one, when it is its turn. */
  waiting: Pick<Waiting, 'read' | 'walk'>
  /** Resolves when writes to a collection, by its key, are not held back. */
  turn: (collection: number) => Promise<void>
}

type Vectors = Partial<Record<Modality, Float32Array | null>>

/** The handle of a stored collection. Order of a write: commit, apply to the index, resolve. */
export function createCollection(
  settings: StoredCollection,
  { dataDir, commit, searcher, read, waiting, turn }: CollectionParts
): Collection {
  const { id: collection } = settings
  const commitAndApply = async (write: RawWrite, vectors: Vectors[], callOptions?: CallOptions) => {
    await mapYielding(vectors, (byModality) => requireVectors(byModality, settings.dimension))
    await (callOptions?.signal ? abortable(turn(collection), callOptions.signal) : turn(collection))
    // Copied before the commit: what is applied follows the order of the commits.
    const { copy, memory } = await copyBuffers(vectors)
    const { changes } = await commit(write, callOptions)
    const added = changes.map(({ added }, i) => added.map(({ modality }) => copy[i][modality]!))
    await searcher.call('apply', handOver({ collection, changes, vectors: added }, memory))
    return changes
  }
  return {
    settings,
    upsert: async (records, { load } = {}, callOptions) => {
      const changes = await commitAndApply(
        { kind: 'upsert', collection: settings, records, load },
        records.map(({ embeddings }) => embeddings),
        callOptions
      )
      return records.map(({ id }, i) => ({ id, status: changes[i].existed ? 'updated' : 'created' }))
    },
    patch: async (id, patch, callOptions) =>
      void (await commitAndApply(
        { kind: 'patch', collection: settings, id, patch },
        [patch.embeddings],
        callOptions
      )),
    delete: async (ids, { updatedAt } = {}, callOptions) => {
      const changes = await commitAndApply(
        { kind: 'delete', collection: settings, ids, updatedAt },
        [],
        callOptions
      )
      return ids.map((id, i) => ({ id, existed: changes[i].existed }))
    },
    bulkLoad: (key) => read('bulkLoad', collection, key),
    failedLines: (key) => read('failedLines', collection, key),
    get: async (id, callOptions) => {
      const record = await waiting.read(() => read('record', collection, id), callOptions)
      return record && { ...record, metadata: record.metadata === null ? null : JSON.parse(record.metadata) }
    },
    embeddings: (id, callOptions) => waiting.read(() => read('embeddingsOf', collection, id), callOptions),
    list: async (page, callOptions) =>
      (await waiting.read(() => searcher.call('list', { collection, ...page }), callOptions)).map(unpacked),
    select: (filter, callOptions) =>
      waiting.read(() => searcher.call('select', { collection, filter }), callOptions),
    search: async (query, options, callOptions) => {
      const { matches, explanation } = await waiting.read(
        () => searcher.call('search', { collection, query, ...options }),
        callOptions
      )
      return { matches: matches.map((match) => ({ ...match, record: unpacked(match.record) })), explanation }
    },
    facets: (options, callOptions) =>
      waiting.walk(
        (signal) => searcher.call('facets', { collection, ...options, stop: stopFlag(signal) }),
        callOptions
      ),
    // A matrix may take a minute: it waits, and is run, beside the others.
    matrix: (options, callOptions) =>
      waiting.walk((signal) => searcher.call('matrix', { collection, ...options, stop: stopFlag(signal) }), {
        ...callOptions,
        lane: 'bulk'
      }),
    scores: (options, callOptions) =>
      waiting.walk(
        (signal) => searcher.call('scores', { collection, ...options, stop: stopFlag(signal) }),
        callOptions
      ),
    snapshot: async () => {
      const saved = await searcher.call('snapshot', collection)
      if (!saved) throw new CollectionNotFound(settings.name)
      return saved
    },
    snapshots: () => keptSnapshots(dataDir, collection),
    counts: async () => {
      const {
        records = 0,
        image = 0,
        text = 0,
        imageBytes = 0
      } = (await searcher.call('counts', collection)) ?? {}
      const embeddingBytes = (image + text) * settings.dimension * Float32Array.BYTES_PER_ELEMENT
      return { records, images: image, texts: text, bytes: imageBytes + embeddingBytes }
    }
  }
}

function unpacked(record: PackedRecord): StoredRecord<JsonText> {
  return { ...record, metadata: record.metadata && new JsonText(record.metadata) }
}

/**
 * What is committed is found again at every start, so that nothing may be committed that an index can't hold.
 */
function requireVectors(byModality: Vectors, dimension: number): void {
  for (const vector of Object.values(byModality)) {
    if (vector && (vector.length !== dimension || !vector.every(Number.isFinite)))
      throw new Error(`An embedding must have ${dimension} dimensions and finite values.`)
  }
}
