import type { Modality } from '../record.js'

/** A record with what it would be encoded from, and whether a copy elsewhere is of its present state. */
export interface ComparedRecord extends RecordVersion {
  key: number
  text: string | null
  /** The SHA-256 of its kept image. */
  image: string | null
  /** What it has embeddings of. */
  modalities: Modality[]
  isCopied: boolean
}

/** A record as of one of its writes. */
export interface RecordVersion {
  id: string
  updatedAt: number
}

/** A part of a listing: up to `limit` records whose ids come after one. */
export interface RecordPage {
  limit: number
  after?: string
}
