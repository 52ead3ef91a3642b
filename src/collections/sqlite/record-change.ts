import type { Modality, StoredCollection } from '../record.js'

/** A collection by its key in the store; the name is for messages. */
export type CollectionKey = Pick<StoredCollection, 'id' | 'name'>

/** A write whose image, if it keeps one, is already a file under its digest. */
export type Digested<W> = Omit<W, 'image'> & {
  image?: { sha256: string; type: string; bytes: number } | null
}

/** What a write did to one record. */
export interface RecordChange {
  /** The record's key in the store, never given twice. */
  key: number
  existed: boolean
  /** Whether it is gone now. */
  gone: boolean
  /** As JSON. */
  metadata: string | null
  added: { label: number; modality: Modality }[]
  removed: { label: number; modality: Modality }[]
}
