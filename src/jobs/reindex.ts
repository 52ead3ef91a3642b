import type { Collection } from '../collections/collection.js'
import type { Modality } from '../collections/record.js'
import type { Replacement } from '../collections/replacement.js'
import type { ImageStore } from '../collections/stores/image-store.js'
import type { ComparedRecord } from '../collections/stores/record-page.js'
import type { Embedding } from '../encoder/embedding.js'
import type { Encoder } from '../encoder/encoder.js'
import { ImageNotKept, isPublicError, ReindexIncomplete } from '../errors.js'
import { retry } from '../threading/retry.js'

/** A record that can't be encoded again in one of its modalities, and why. */
export interface Unencodable {
  id: string
  modality: Modality
  reason: string
}

export interface ReindexOptions {
  collection: Collection
  images: Pick<ImageStore, 'read'>
  replacement: Replacement
  encoder: Encoder
  /**
   * Whether records continue without the embeddings that can't be made again; else the old ones stay, all of
   * them.
   */
  skipMissing: boolean
  onProgress: (progress: { done: number; total: number }) => void
  onUnencodable: (record: Unencodable) => void
  /** Ends the work where it is; it can be resumed. */
  signal: AbortSignal
}

const PAGE = 1000
/** Records that are encoded and committed together. */
const BATCH = 64
/** After a pass over the collection that found so few records changed, writes wait for the last one. */
const FEW = 256
/** After so many passes they wait in any case: the writes may continue for ever. */
const MAX_PASSES = 20
const LAST_TRIES = 5

/**
 * Encodes the kept images and texts of a collection into its replacement, and puts that in its place. What
 * was done before is not done again: the replacement itself says how far it is. Writes meanwhile are caught
 * up with, pass by pass. Throws REINDEX_INCOMPLETE when something can't be encoded and `skipMissing` is not
 * set, and what stops the store.
 */
export async function reindex(asked: ReindexOptions): Promise<void> {
  const options = { ...asked, replacement: steady(asked) }
  const { collection, replacement, signal } = options
  const unencodable = new Map<string, Unencodable>()
  const onUnencodable = (record: Unencodable) => {
    const key = `${record.modality} ${record.id}`
    if (unencodable.has(key)) return
    unencodable.set(key, record)
    options.onUnencodable(record)
  }
  const work = { ...options, onUnencodable }
  await forEachPage(replacement, signal, async (page) => page.flatMap(lacking).forEach(onUnencodable))
  requireComplete(unencodable, options)
  const { records: total } = await collection.counts()
  options.onProgress({ done: Math.min(await replacement.count(), total), total })
  for (let pass = 1; pass < MAX_PASSES && (await catchUp(work)) > FEW; pass++);
  requireComplete(unencodable, options)
  // Writes that were on their way when the others were held may still come in, so that it is tried a few
  // times.
  await replacement.whileHeld(async () => {
    for (let tries = 0; tries < LAST_TRIES; tries++) {
      await catchUp(work)
      requireComplete(unencodable, options)
      if (await replacement.replace()) return
    }
    throw new Error('The collection kept changing while its writes were held.')
  })
}

function requireComplete(
  unencodable: Map<string, Unencodable>,
  { skipMissing, collection }: ReindexOptions
): void {
  if (unencodable.size === 0 || skipMissing) return
  const named = [...unencodable.values()]
    .slice(0, 3)
    .map(({ id, modality, reason }) => `'${id}' (${modality}: ${reason})`)
    .join(', ')
  throw new ReindexIncomplete(
    `${unencodable.size} embeddings of '${collection.settings.name}' can't be computed again: ` +
      `${named}${unencodable.size > 3 ? ' and others' : ''}. Send these records again, or re-index with ` +
      'skip_missing, which leaves them out of searches by that modality.'
  )
}

/** What a record has embeddings of without having kept what they were made from. */
function lacking({ id, image, text, modalities }: ComparedRecord): Unencodable[] {
  return modalities.flatMap((modality): Unencodable[] => {
    if (modality === 'image') return image === null ? [{ id, modality, reason: 'no image was kept' }] : []
    return text === null ? [{ id, modality, reason: 'it has no text' }] : []
  })
}

async function forEachPage(
  replacement: Replacement,
  signal: AbortSignal,
  work: (page: ComparedRecord[]) => Promise<void>
): Promise<void> {
  for (let after: string | undefined = ''; after !== undefined;) {
    signal.throwIfAborted()
    const page: ComparedRecord[] = await replacement.compare({ after, limit: PAGE })
    await work(page)
    after = page.at(-1)?.id
  }
}

/**
 * One pass over the collection: copies what is not there as it is, removes what is gone. Resolves to the
 * records that had changed.
 */
async function catchUp(options: ReindexOptions): Promise<number> {
  const { collection, replacement, signal } = options
  let changed = await replacement.removeExtra()
  await forEachPage(replacement, signal, async (page) => {
    const missing = page.filter(({ isCopied }) => !isCopied)
    changed += missing.length
    const batches = Array.from({ length: Math.ceil(missing.length / BATCH) }, (_, i) =>
      missing.slice(i * BATCH, (i + 1) * BATCH)
    ).values()
    // Two batches at a time: one is committed while the other is encoded.
    const copyBatches = async () => {
      for (const batch of batches) {
        signal.throwIfAborted()
        await copy(options, batch)
        const { records: total } = await collection.counts()
        options.onProgress({ done: Math.min(await replacement.count(), total), total })
      }
    }
    await Promise.all([copyBatches(), copyBatches()])
  })
  return changed
}

async function copy(
  { collection, images, replacement, encoder, onUnencodable, signal }: ReindexOptions,
  records: ComparedRecord[]
): Promise<void> {
  const copies = records.map(async ({ key, updatedAt, ...record }) => {
    const embeddings: Partial<Record<Modality, Embedding>> = {}
    for (const modality of record.modalities) {
      try {
        const embedding = await encodeAnew({ collection, images, encoder, signal }, record, modality)
        if (embedding) embeddings[modality] = embedding
      } catch (error) {
        if (!isAboutTheRecord(error)) throw error
        // A write took its image meanwhile: the record comes again in the next pass.
        if ((await collection.get(record.id))?.updatedAt !== updatedAt) continue
        onUnencodable({ id: record.id, modality, reason: (error as Error).message })
      }
    }
    return { key, updatedAt, embeddings }
  })
  const settled = await Promise.allSettled(copies)
  const failed = settled.find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
  await replacement.copy(settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : [])))
}

/** The new embedding of a modality; undefined where there is nothing that it could be made from. */
async function encodeAnew(
  {
    collection,
    images,
    encoder,
    signal
  }: Pick<ReindexOptions, 'collection' | 'images' | 'encoder' | 'signal'>,
  { id, text, image }: Pick<ComparedRecord, 'id' | 'text' | 'image'>,
  modality: Modality
): Promise<Embedding | undefined> {
  const source = modality === 'image' ? image : text
  if (source === null) return undefined
  const bytes = modality === 'image' ? await images.read(source) : undefined
  if (modality === 'image' && !bytes) throw new ImageNotKept(id)
  const options = { lane: 'bulk', signal, sharing: `collection ${collection.settings.id}` } as const
  return retry(() => (bytes ? encoder.encodeImage(bytes, options) : encoder.encodeText(source, options)), {
    signal
  })
}

/**
 * A replacement whose steps are tried again where a thread died or is down; all but the last, which may have
 * been taken then.
 */
function steady({ replacement, signal }: Pick<ReindexOptions, 'replacement' | 'signal'>): Replacement {
  return {
    ...replacement,
    compare: (page) => retry(() => replacement.compare(page), { signal }),
    copy: (records) => retry(() => replacement.copy(records), { signal }),
    removeExtra: () => retry(() => replacement.removeExtra(), { signal }),
    count: () => retry(() => replacement.count(), { signal })
  }
}

function isAboutTheRecord(error: unknown): boolean {
  return isPublicError(error) && (error.statusCode < 499 || error.code === 'ENCODER_FAILED')
}
