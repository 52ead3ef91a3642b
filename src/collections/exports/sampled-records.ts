import type { Connection } from '../sqlite/connection.js'
import { labelIn } from '../label.js'
import type { StoredRecord } from '../record.js'
import type { StoreReader } from '../sqlite/reads.js'

/** A record of a sample, as it is when it is read. */
export interface SampledRecord {
  id: string
  /** Null where it has no text, or no embedding of it. */
  text: string | null
  /** What it holds in the field that was asked for: a single value, as a string. */
  label: string | null
  /** The SHA-256 of its kept image. */
  image: string | null
}

/** Records with their embeddings, row by row; that of a text that is null is zeros. */
export interface SampledPage {
  records: SampledRecord[]
  images: Float32Array
  texts: Float32Array
}

const PAGE = 1000

/**
 * The keys of some records after an id that have the embedding of an image, and a text with its own or a
 * label; with the id that the next ones come after.
 */
export function candidateKeys(
  store: StoreReader,
  collection: number,
  { after, field }: { after: string; field?: string }
): { keys: number[]; after?: string } {
  const passed: number[] = []
  const page = store.page(collection, { after, limit: PAGE }, (key) => passed.push(key) > 0)
  // A record that is gone since its key was read would put all after it in the wrong place.
  const keys = page.length === passed.length ? passed.filter((_, i) => isCandidate(page[i], field)) : passed
  return { keys, after: page.at(-1)?.id }
}

function isCandidate(record: StoredRecord<string>, field?: string): boolean {
  return record.modalities.includes('image') && (textOf(record) !== null || labelOf(record, field) !== null)
}

/**
 * Some records of a collection by their keys, each as it is at one moment; those that are gone, or are no
 * candidates any more, are left out.
 */
export function sampledPage(
  db: Connection,
  store: StoreReader,
  {
    collection,
    keys,
    dimension,
    field
  }: { collection: number; keys: number[]; dimension: number; field?: string }
): SampledPage {
  const found = db.transaction(() =>
    keys.flatMap((key) => {
      const record = store.recordByKey(key)
      return record && isCandidate(record, field)
        ? [{ record, embeddings: store.embeddingsOf(collection, record.id) }]
        : []
    })
  )()
  const [images, texts] = [
    new Float32Array(found.length * dimension),
    new Float32Array(found.length * dimension)
  ]
  found.forEach(({ embeddings: { image, text } }, i) => {
    if (image) images.set(image, i * dimension)
    if (text) texts.set(text, i * dimension)
  })
  return {
    records: found.map(({ record }) => ({
      id: record.id,
      text: textOf(record),
      label: labelOf(record, field),
      image: record.image?.sha256 ?? null
    })),
    images,
    texts
  }
}

function textOf({ text, modalities }: StoredRecord<string>): string | null {
  return modalities.includes('text') ? text : null
}

function labelOf({ metadata }: StoredRecord<string>, field?: string): string | null {
  return field === undefined || metadata === null ? null : (labelIn(JSON.parse(metadata), field) ?? null)
}
