import type { JsonText } from '../json/json-text.js'

/** What a record holds, and what it is searched by. */
export type Modality = 'image' | 'text'
/** What ids of records are made of: no control characters. */
export const RECORD_ID = '^[^\\u0000-\\u001f\\u007f]+$'

export const MODALITIES: Modality[] = ['image', 'text']

/**
 * HNSW settings of a collection's indexes (Malkov and Yashunin 2016): links a node, and candidates while
 * building and searching.
 */
export interface HnswSettings {
  m: number
  efConstruction: number
  efSearch: number
}

/**
 * hnswlib's documentation finds M 12 to 48 good for most; these held recall@10 over 0.97 where it was
 * measured.
 */
export const DEFAULT_HNSW: HnswSettings = { m: 16, efConstruction: 200, efSearch: 128 }

/** Largest metadata of a record, as JSON. */
export const MAX_METADATA_BYTES = 64 * 1024

/** What is kept of a record's image beside its embedding. */
export type ImageStorage = 'original' | 'thumbnail' | 'none'

export interface CollectionSettings {
  name: string
  /**
   * The model and the fingerprint of the encoder that its embeddings come from; null where they are brought
   * along.
   */
  model: string | null
  fingerprint: string | null
  dimension: number
  hnsw: HnswSettings
  storage: ImageStorage
}

/** What may change after a collection's creation: of `hnsw`, the candidates while searching. */
export type MutableSettings = Pick<CollectionSettings, 'hnsw' | 'storage'>

/** A collection as the store has it; `id` is never given twice. */
export interface StoredCollection extends CollectionSettings {
  id: number
  createdAt: number
}

/** Names with this sign can't be asked for: of a collection that is being made anew, or that was replaced. */
const HIDDEN = '#'

/** The name under which a collection is made anew. */
export function nextName(name: string): string {
  return `${name}${HIDDEN}next`
}

/** The name that a replaced collection has until it is dropped. */
export function replacedName(name: string, id: number): string {
  return `${name}${HIDDEN}${id}`
}

/** The name under which a collection is restored. */
export function restoredName(name: string): string {
  return `${name}${HIDDEN}restored`
}

/** Whether a collection is one of these. */
export function isHidden({ name }: Pick<CollectionSettings, 'name'>): boolean {
  return name.includes(HIDDEN)
}

/** A record to be written: it replaces what was there under its id. */
export interface RecordWrite {
  id: string
  text?: string
  /** As JSON: threads hand text on faster than objects. */
  metadata?: string
  /** The image to keep, with its media type. */
  image?: { bytes: Uint8Array; type: string }
  /** When it is gone by itself, in milliseconds since 1970. */
  expiresAt?: number
  /** One L2-normalised embedding for each modality that the record holds. */
  embeddings: Partial<Record<Modality, Float32Array>>
}

/** A record as a backup has it. Its embeddings come after those of all records, in an order of their own. */
export interface RestoredRecord extends Pick<RecordWrite, 'id' | 'image'> {
  text: string | null
  /** As JSON. */
  metadata: string | null
  /** Milliseconds since 1970. */
  createdAt: number
  updatedAt: number
  expiresAt: number | null
}

/** An embedding as a backup has it, of the record with that id. */
export interface RestoredEmbedding {
  id: string
  modality: Modality
  vector: Float32Array
}

/**
 * A change of some parts of a record: what is undefined stays, null removes. Metadata is merged (RFC 7396). A
 * new image comes with its embedding; `image` is what is kept of it.
 */
export interface RecordPatch {
  text?: string | null
  metadata?: Record<string, unknown> | null
  image?: RecordWrite['image'] | null
  expiresAt?: number | null
  embeddings: Partial<Record<Modality, Float32Array | null>>
}

/** A record; its metadata parsed, or in another form. */
export interface StoredRecord<Metadata = Record<string, unknown>> {
  id: string
  text: string | null
  metadata: Metadata | null
  modalities: Modality[]
  image: { sha256: string; type: string } | null
  /** Milliseconds since 1970. */
  createdAt: number
  updatedAt: number
  expiresAt: number | null
}

/** What a search compares a query with: one modality, or records by both, fused. */
export type Target = Modality | 'record'

/** One search result. `score` is the cosine, or for the target `record` what the fusion makes of the two. */
export interface Match<Metadata = JsonText> {
  record: StoredRecord<Metadata>
  modality: Target
  score: number
  /** Its embeddings, where they were asked for. */
  embeddings?: Partial<Record<Modality, Float32Array>>
}
