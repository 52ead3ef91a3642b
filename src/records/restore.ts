import { openBackup, type OpenBackup } from '../collections/backups/open-backup.js'
import type { BackupContent } from '../collections/backups/read-backup.js'
import type { Collection } from '../collections/collection.js'
import type { Collections } from '../collections/collections.js'
import { fileDigest } from '../collections/file-digest.js'
import { RECORD_ID, type CollectionSettings, type RestoredRecord } from '../collections/record.js'
import type { Restoration } from '../collections/restoration.js'
import { sniffImage } from '../encoder/sniff-image.js'
import type { Encoders } from '../encoder/encoders.js'
import {
  BackupInvalid,
  ChecksumDiffers,
  CollectionExists,
  ImageInvalid,
  isPublicError,
  RecordInvalid
} from '../errors.js'
import { requireMetadataSize, requireStorable } from './record-parts.js'

export interface RestoreOptions {
  collections: Collections
  encoders: Encoders
  /** The backup's file. */
  file: string
  /** The SHA-256 that the file must have, where it is not known to have it. */
  sha256?: string
  /** The name that the collection gets, whatever it was called. */
  name: string
  /** Whether a collection that has the name is replaced. */
  mayReplace: boolean
  /**
   * Whether the collection gets the age that the backup notes. What was made of a collection is known by
   * that: of a file that was sent by a key limited to collections it is not taken.
   */
  keepsAge: boolean
  maxImageBytes: number
  /** Ends the work; nothing of it stays. */
  signal: AbortSignal
}

const FINGERPRINT = /^[0-9a-f]{64}$/
const STORAGES = ['original', 'thumbnail', 'none']
const ID = new RegExp(RECORD_ID, 'u')

/**
 * Makes a collection of a backup: beside the one that has the name, then in its place in one commit. What it
 * holds gets the checks that writes get. Resolves when it can be searched. Throws COLLECTION_EXISTS,
 * RESTORE_RUNNING, BACKUP_INVALID, BACKUP_TOO_NEW, what stops the store, and the signal's reason: nothing has
 * changed then.
 */
export async function restore(options: RestoreOptions): Promise<Collection> {
  const { collections, encoders, file, sha256, name, mayReplace, keepsAge, maxImageBytes, signal } = options
  await requireFree(collections, name, mayReplace)
  if (sha256 !== undefined) await requireChecksum(file, sha256)
  const backup = await openBackup(file, { maxImageBytes })
  try {
    const settings = requireSettings(backup.content, encoders)
    const restoration = await collections.restoration({ ...settings, name })
    try {
      await fill(restoration, backup, signal)
      signal.throwIfAborted()
      const createdAt = keepsAge
        ? backup.content.collectionCreatedAt
        : ((await find(collections, name))?.settings.createdAt ?? Date.now())
      return await restoration.instate({ createdAt, mayReplace })
    } finally {
      await restoration.end()
    }
  } finally {
    await backup.close()
  }
}

/** Throws COLLECTION_EXISTS when a restore under this name would be refused at its end. */
export async function requireFree(
  collections: Collections,
  name: string,
  mayReplace: boolean
): Promise<void> {
  if (!mayReplace && (await find(collections, name))) throw new CollectionExists(name)
}

async function find(collections: Collections, name: string): Promise<Collection | undefined> {
  return (await collections.list()).find(({ settings }) => settings.name === name)
}

/** A bit of a vector or a text may turn without SQLite noticing. */
async function requireChecksum(file: string, sha256: string): Promise<void> {
  const found = await fileDigest(file)
  if (found !== sha256) throw new ChecksumDiffers(found, sha256)
}

async function fill(restoration: Restoration, backup: OpenBackup, signal: AbortSignal): Promise<void> {
  for await (const records of backup.records()) {
    signal.throwIfAborted()
    for (const record of records) await requireRecord(record)
    await restoration.addRecords(records)
  }
  for await (const embeddings of backup.embeddings()) {
    signal.throwIfAborted()
    await restoration.addEmbeddings(embeddings)
  }
}

/** The settings of a backup's collection, if a collection could have been created with them. */
function requireSettings({ collection }: BackupContent, encoders: Encoders): CollectionSettings {
  const { model, fingerprint, dimension, hnsw, storage } = collection
  const between = (value: number, [least, most]: [number, number]) =>
    Number.isInteger(value) && value >= least && value <= most
  const isSound =
    between(dimension, [1, 8192]) &&
    between(hnsw.m, [2, 128]) &&
    between(hnsw.efConstruction, [8, 2000]) &&
    between(hnsw.efSearch, [8, 10_000]) &&
    STORAGES.includes(storage) &&
    (model === null) === (fingerprint === null) &&
    (model === null || (model.length <= 255 && ID.test(model))) &&
    (fingerprint === null || FINGERPRINT.test(fingerprint))
  if (!isSound) throw new BackupInvalid('its collection settings are not valid')
  const encoder = fingerprint === null ? undefined : encoders.withFingerprint(fingerprint)
  if (encoder && encoder.dimension !== dimension)
    throw new BackupInvalid(`it has ${dimension} dimensions, but its encoder has ${encoder.dimension}`)
  return collection
}

async function requireRecord({ id, text, metadata, image }: RestoredRecord): Promise<void> {
  try {
    if (!ID.test(id)) throw new RecordInvalid('The id is empty or has control characters.')
    requireStorable({ id, text })
    if (metadata !== null) requireMetadataSize(metadata)
    // It is served under its type.
    if (image && (await sniffImage(image.bytes)) !== image.type)
      throw new ImageInvalid('its type is not the one that the backup states')
  } catch (error) {
    throw isPublicError(error)
      ? new BackupInvalid(`record '${id.slice(0, 255)}': ${error.message.replace(/\.$/, '')}`)
      : error
  }
}
