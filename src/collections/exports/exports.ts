import { Semaphore } from '../../threading/semaphore.js'
import { startThreadPool, type ThreadPool } from '../../threading/thread-pool.js'
import type { Collection } from '../collection.js'
import type { Modality } from '../record.js'
import { sampleLabels } from '../sample.js'
import type { RowsPart, RowsState } from './embedding-rows.js'
import type { LineContent } from './export-worker.js'
import { npyHeader } from './npy.js'
import type { SampledPage } from './sampled-records.js'

/** What may be exported of a data folder's collections, each time by a thread of its own. */
export interface Exports {
  /**
   * Lines of JSON, a record each in the shape that bulk ingest takes, in the order of ids. Each record is as
   * it was at some moment of the export; memory holds a few of them at a time. `keptImages` is how many of
   * the records have a kept image when it begins. Throws QUEUE_FULL.
   */
  records(collection: Collection, content: Pick<LineContent, 'images' | 'embeddings'>): Promise<RecordExport>
  /** The embeddings of one modality as they are at one moment, till it is closed. Throws QUEUE_FULL. */
  embeddings(collection: Collection, modality: Modality): Promise<EmbeddingExport>
  /**
   * Up to `limit` of the records that have the embedding of an image, and one of a text or a value in the
   * field: the same ones of the same records. Each is as it was at some moment. Throws QUEUE_FULL, the
   * signal's reason, and COLLECTION_REPLACED while it is read.
   */
  sample(collection: Collection, options: SampleOptions): Promise<RecordSample>
}

export interface RecordExport {
  keptImages: number
  lines: AsyncIterable<string>
  close(): Promise<void>
}

export interface EmbeddingExport extends RowsState {
  /** The bytes of `npy`. */
  npyBytes: number
  /** A NumPy array `[rows, dimension]` of float32, in the order of the embeddings' labels. */
  npy(): AsyncIterable<Uint8Array>
  /** A line for each row of it: the id of its record. Ids have no line ends in them. */
  ids(): AsyncIterable<string>
  /** Ends it, however far it is. */
  close(): Promise<void>
}

export interface SampleOptions {
  limit: number
  /** Of the metadata, which has the label. */
  field?: string
  /** Ends it between two pages. */
  signal?: AbortSignal
}

export interface RecordSample {
  /** Records that it is of. */
  total: number
  /** Records in it; some may be gone when they are read. */
  size: number
  pages(): AsyncIterable<SampledPage>
  close(): Promise<void>
}

/** Exports that run at a time. */
const AT_ONCE = 4
/** Records of a sample that are read at once. */
const SAMPLE_PAGE = 500

type ExportWorker = typeof import('./export-worker.js')

/** The exports of a data folder. */
export function createExports(dataDir: string): Exports {
  const semaphore = new Semaphore(AT_ONCE)
  const open = async () => {
    const release = semaphore.acquireNow()
    try {
      const thread = await startThreadPool<ExportWorker>(new URL('./export-worker.js', import.meta.url), {
        name: 'export',
        count: 1,
        workerData: { dataDir }
      })
      let closed: Promise<void> | undefined
      const close = async () => {
        await thread.call('close', undefined).catch(() => undefined)
        await thread.close()
        release()
      }
      return { call: thread.call, close: () => (closed ??= close()) }
    } catch (error) {
      release()
      throw error
    }
  }
  return {
    records: async (collection, content) => recordExport(await open(), collection, content),
    embeddings: async ({ settings: { id, dimension } }, modality) => {
      const thread = await open()
      try {
        const state = await thread.call('begin', { collection: id, modality })
        const header = npyHeader(state.rows, dimension)
        return {
          ...state,
          npyBytes: header.length + state.rows * dimension * Float32Array.BYTES_PER_ELEMENT,
          npy: async function* () {
            yield header
            yield* parts((after) => thread.call('vectors', after))
          },
          ids: async function* () {
            for await (const ids of parts((after) => thread.call('ids', after)))
              yield ids.map((recordId) => `${recordId}\n`).join('')
          },
          close: thread.close
        }
      } catch (error) {
        await thread.close()
        throw error
      }
    },
    sample: async (collection, options) => {
      const thread = await open()
      try {
        return { ...(await recordSample(thread, collection, options)), close: thread.close }
      } catch (error) {
        await thread.close()
        throw error
      }
    }
  }
}

type ExportThread = Pick<ThreadPool<ExportWorker>, 'call'> & { close(): Promise<void> }

async function recordExport(
  thread: ExportThread,
  collection: Collection,
  content: Pick<LineContent, 'images' | 'embeddings'>
): Promise<RecordExport> {
  try {
    const keptImages = await thread.call('keptImages', collection.settings.id)
    const areOriginals = collection.settings.storage === 'original'
    return {
      keptImages,
      lines: recordLines(thread, collection, { ...content, areOriginals }),
      close: thread.close
    }
  } catch (error) {
    await thread.close()
    throw error
  }
}

async function recordSample(
  { call }: Pick<ThreadPool<ExportWorker>, 'call'>,
  { settings: { id, name, dimension } }: Collection,
  { limit, field, signal }: SampleOptions
): Promise<Omit<RecordSample, 'close'>> {
  const all: number[] = []
  for (let after: string | undefined = ''; after !== undefined;) {
    const page: { keys: number[]; after?: string } = await call('candidates', {
      collection: { id, name },
      after,
      field
    })
    signal?.throwIfAborted()
    for (const key of page.keys) all.push(key)
    after = page.after
  }
  const chosen = sampleLabels(all, limit)
  return {
    total: all.length,
    size: chosen.length,
    pages: async function* () {
      for (let start = 0; start < chosen.length; start += SAMPLE_PAGE)
        yield await call('sampled', {
          collection: { id, name },
          keys: chosen.slice(start, start + SAMPLE_PAGE),
          dimension,
          field
        })
    }
  }
}

async function* parts<Part>(read: (after: number) => Promise<RowsPart<Part>>): AsyncGenerator<Part> {
  for (let after: number | undefined = 0; after !== undefined;) {
    const { part, after: next }: RowsPart<Part> = await read(after)
    if (next !== undefined) yield part
    after = next
  }
}

async function* recordLines(
  { call }: Pick<ThreadPool<ExportWorker>, 'call'>,
  { settings: { id, name } }: Collection,
  content: LineContent
): AsyncGenerator<string> {
  for (let after: string | undefined = ''; after !== undefined;) {
    const page: { text: string; after?: string } = await call('lines', {
      collection: { id, name },
      after,
      ...content
    })
    if (page.text !== '') yield page.text
    after = page.after
  }
}
