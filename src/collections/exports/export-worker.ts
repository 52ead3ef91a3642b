import { readFileSync } from 'node:fs'
import { workerData } from 'node:worker_threads'
import { CollectionReplaced } from '../../errors.js'
import { handler, reportReady } from '../../threads.js'
import { imagePath } from '../image-files.js'
import type { Modality, StoredRecord } from '../record.js'
import { openReader } from '../store/connection.js'
import { createStoreReader } from '../store/reads.js'
import type { CollectionKey } from '../store/writes.js'
import { embeddingRows, type EmbeddingRows } from './embedding-rows.js'
import { candidateKeys, sampledPage, type SampledPage } from './sampled-records.js'

/** Which records are exported next, and what of them. */
export interface LinesCall {
  collection: CollectionKey
  /** The id that they come after. */
  after: string
  withEmbeddings: boolean
  withImages: boolean
}

const PAGE = 200
/** Characters of lines that make a page before it has so many records. */
const PAGE_LENGTH = 4 << 20

// A thread that reads one collection for one export, so that its length holds no search.
const { dataDir } = workerData as { dataDir: string }
const db = openReader(dataDir)
const store = createStoreReader(db)
let rows: EmbeddingRows | undefined

/**
 * Lines of JSON of the records after an id, in the order of their ids, as they are now; and the id that the next ones come
 * after. They are made here, since floats take long to print. Throws COLLECTION_REPLACED when the collection is no more.
 */
export const lines = handler(({ collection: { id: key, name }, after, ...content }: LinesCall): { text: string; after?: string } => {
  const page: { text: string; after?: string } = { text: '' }
  for (const { id } of store.page(key, { after, limit: PAGE })) {
    const line = lineOf(key, id, content)
    if (line) page.text += `${JSON.stringify(line)}\n`
    page.after = id
    if (page.text.length > PAGE_LENGTH) break
  }
  // Else what was dropped in the middle would look like the end.
  if (!store.counts(key)) throw new CollectionReplaced(name)
  return page
})

/** A record as it is at one moment; undefined when it has gone. */
function lineOf(collection: number, id: string, content: Pick<LinesCall, 'withEmbeddings' | 'withImages'>): object | undefined {
  const read = () =>
    store.atOnce(() => {
      const record = store.record(collection, id)
      return record && { record, line: toLine(collection, record, content) }
    })
  const first = read()
  // A write took its image away since it was read, and may have brought another: then it is read again.
  return content.withImages && first?.record.image && !('image' in first.line) ? read()?.line : first?.line
}

/** A record in the shape that bulk ingest takes in. */
function toLine(collection: number, { id, text, metadata, image, expiresAt }: StoredRecord, { withEmbeddings, withImages }: Pick<LinesCall, 'withEmbeddings' | 'withImages'>): object {
  const bytes = withImages && image !== null ? readImage(image.sha256) : undefined
  const embeddings = withEmbeddings ? Object.entries(store.embeddingsOf(collection, id)) : []
  return {
    id,
    ...(text !== null && { text }),
    ...(metadata !== null && { metadata }),
    ...(expiresAt !== null && { expires_at: new Date(expiresAt).toISOString() }),
    ...(bytes && { image: { base64: bytes.toString('base64') } }),
    ...(embeddings.length > 0 && { embeddings: Object.fromEntries(embeddings.map(([modality, vector]) => [modality, [...vector]])) })
  }
}

/** The bytes of an image, if no write took the file away since the record was read. */
function readImage(sha256: string): Buffer | undefined {
  try {
    return readFileSync(imagePath(dataDir, sha256))
  } catch {
    return undefined
  }
}

/** Begins to read the embeddings of one modality as they are at this moment, however long it takes. */
export const begin = handler(({ collection, modality }: { collection: number; modality: Modality }) => {
  db.exec('BEGIN')
  rows = embeddingRows(db, { collection, modality })
  return rows.state
})

/** The vectors after a label, one after the other. */
export const vectors = handler((after: number) => rows!.vectors(after))

/** The ids of records whose embeddings come after a label, in the order of these. */
export const ids = handler((after: number) => rows!.ids(after))

/** The keys of the records that a sample may be of, some after an id. Throws COLLECTION_REPLACED when the collection is no more. */
export const candidates = handler(({ collection: { id, name }, ...page }: { collection: CollectionKey; after: string; field?: string }) => {
  const found = candidateKeys(store, id, page)
  if (!store.counts(id)) throw new CollectionReplaced(name)
  return found
})

/** Records of a sample, by their keys. Throws COLLECTION_REPLACED when the collection is no more. */
export const sampled = handler(({ collection: { id, name }, ...asked }: { collection: CollectionKey; keys: number[]; dimension: number; field?: string }): SampledPage => {
  const page = sampledPage(db, store, { collection: id, ...asked })
  if (!store.counts(id)) throw new CollectionReplaced(name)
  return page
})

/** Lets go of the store. */
export const close = handler(() => void db.close())

reportReady()
