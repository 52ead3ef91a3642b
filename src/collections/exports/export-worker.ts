import { readFileSync } from 'node:fs'
import { workerData } from 'node:worker_threads'
import { CollectionReplaced } from '../../errors.js'
import { handler, reportReady } from '../../threading/thread-pool.js'
import { imagePath } from '../image-files.js'
import type { Modality, StoredRecord } from '../record.js'
import { openReader } from '../sqlite/connection.js'
import { createStoreReader } from '../sqlite/reads.js'
import { embeddingRows, type EmbeddingRows } from './embedding-rows.js'
import { candidateKeys, sampledPage, type SampledPage } from './sampled-records.js'
import type { CollectionKey } from '../sqlite/record-change.js'

/** What the lines of records have beside their texts and metadata. */
export interface LineContent {
  images: boolean
  /** `needed`: those that can't be computed from the line and the images that the collection keeps. */
  embeddings: 'all' | 'needed' | 'none'
  /** Whether kept images are as they were sent: of others the embedding would be another. */
  areOriginals: boolean
}

/** Which records are exported next, and what of them. */
export interface LinesCall extends LineContent {
  collection: CollectionKey
  /** The id that they come after. */
  after: string
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
 * Lines of JSON of the records after an id, in the order of their ids, as they are now; and the id that the
 * next ones come after. They are made here, since floats take long to print. Throws COLLECTION_REPLACED when
 * the collection is no more.
 */
export const lines = handler(
  ({ collection: { id: key, name }, after, ...content }: LinesCall): { text: string; after?: string } => {
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
  }
)

/** How many records have a kept image. */
export const keptImages = handler((collection: number): number => {
  const count = db.prepare<[number, number], number>(
    'SELECT count(*) FROM record WHERE collection = ? AND image_sha256 IS NOT NULL AND (expires_at IS ' +
      'NULL OR expires_at > ?)'
  )
  return count.pluck().get(collection, Date.now())!
})

/** A record as it is at one moment; undefined when it has gone. */
function lineOf(collection: number, id: string, content: LineContent): object | undefined {
  const read = () =>
    store.atOnce(() => {
      const record = store.record(collection, id)
      return record && { record, line: toLine(collection, record, content) }
    })
  const first = read()
  // A write took its image away since it was read, and may have brought another: then it is read again.
  return content.images && first?.record.image && !('image' in first.line) ? read()?.line : first?.line
}

/** A record in the shape that bulk ingest takes in. */
function toLine(collection: number, record: StoredRecord<string>, content: LineContent): object {
  const { id, text, metadata, image, expiresAt } = record
  const bytes = content.images && image !== null ? readImage(image.sha256) : undefined
  const embeddings = embeddingsOf(collection, record, { ...content, hasBytes: bytes !== undefined })
  return {
    id,
    ...(text !== null && { text }),
    ...(metadata !== null && { metadata: JSON.parse(metadata) }),
    ...(expiresAt !== null && { expires_at: new Date(expiresAt).toISOString() }),
    ...(bytes && { image: { base64: bytes.toString('base64') } }),
    ...(embeddings.length > 0 && { embeddings: Object.fromEntries(embeddings) })
  }
}

/** The embeddings that go into the line of a record. */
function embeddingsOf(
  collection: number,
  { id, text, image }: StoredRecord<string>,
  content: LineContent & { hasBytes: boolean }
): [string, number[]][] {
  const { embeddings, images, areOriginals, hasBytes } = content
  const isLost: Record<Modality, boolean> = {
    text: text === null,
    image: images ? !hasBytes || !areOriginals : image === null
  }
  if (embeddings === 'none' || (embeddings === 'needed' && !isLost.text && !isLost.image)) return []
  return Object.entries(store.embeddingsOf(collection, id))
    .filter(([modality]) => embeddings === 'all' || isLost[modality as Modality])
    .map(([modality, vector]) => [modality, [...vector]])
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

/**
 * The keys of the records that a sample may be of, some after an id. Throws COLLECTION_REPLACED when the
 * collection is no more.
 */
export const candidates = handler(
  ({ collection: { id, name }, ...page }: { collection: CollectionKey; after: string; field?: string }) => {
    const found = candidateKeys(store, id, page)
    if (!store.counts(id)) throw new CollectionReplaced(name)
    return found
  }
)

/** Records of a sample, by their keys. Throws COLLECTION_REPLACED when the collection is no more. */
export const sampled = handler(
  ({
    collection: { id, name },
    ...asked
  }: {
    collection: CollectionKey
    keys: number[]
    dimension: number
    field?: string
  }): SampledPage => {
    const page = sampledPage(db, store, { collection: id, ...asked })
    if (!store.counts(id)) throw new CollectionReplaced(name)
    return page
  }
)

/** Lets go of the store. */
export const close = handler(() => void db.close())

reportReady()
