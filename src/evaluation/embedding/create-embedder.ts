import { setImmediate as breathe } from 'node:timers/promises'
import type { Encoder } from '../../encoder/encoder.js'
import { isPublicError } from '../../errors.js'
import { Batcher } from '../../threading/batcher.js'
import { retry } from '../../threading/retry.js'
import { sharedKey } from '../../threading/shared-key.js'
import { DatasetError, type DatasetImage } from '../datasets/dataset.js'
import { corrupt } from '../run/corruptions.js'
import { type Corruption, type Embedder, type Rows, sharedRows } from './embedder.js'
import { createImageFiles, type ImageFiles } from './image-files.js'
import { forEachConcurrently } from './for-each-concurrently.js'
import { imageKey, type KeptEmbeddings, openKeptEmbeddings, textKey } from './kept-embeddings.js'
import type { EncodeOptions } from '../../encoder/encode-options.js'

export interface EmbedderOptions {
  /**
   * Embeddings from before, and where new ones are kept; else those of this embedder alone are, in a
   * temporary file.
   */
  kept?: KeptEmbeddings
  files?: ImageFiles
  /** How far a list of images or texts is. */
  onProgress?: (progress: EmbedProgress) => void
  /** Ends what is under way, with its reason. */
  signal?: AbortSignal
  /** Whose embeddings from before may be taken; those of all who give no name, by default. */
  sharing?: string
}

export interface EmbedProgress {
  done: number
  total: number
  what: 'images' | 'texts'
  corruption?: Corruption
}

/** An embedder, and what its images lack. */
export interface FileEmbedder extends Embedder {
  /**
   * Embeds images, and resolves to those that have no embedding, with why; what stops others, too, rejects.
   */
  broken(images: DatasetImage[]): Promise<Map<DatasetImage, string>>
  close(): void
}

/** Images whose bytes are in memory: enough for two batches of a GPU. */
const IMAGES_AT_ONCE = 64
/** Images that are decoded whole and changed: as many as libuv has threads. */
const CORRUPTED_AT_ONCE = 4
/** Look-ups after which other work has its turn: those of files that were read before wait for nothing. */
export const LOOKUPS_IN_A_ROW = 256

/**
 * An embedder that reads images when it is their turn, a bounded number at a time, in the lane that yields
 * to those that wait for an answer. It looks embeddings up before it encodes, and keeps them as they come, so
 * that what was stopped continues.
 */
export function createEmbedder(encoder: Encoder, options: EmbedderOptions = {}): FileEmbedder {
  const { model, dimension } = encoder
  const kept =
    options.kept ??
    openKeptEmbeddings({ fingerprint: model.fingerprint, dimension, onWarning: () => undefined })
  const work = {
    encoder,
    kept,
    files: options.files ?? createImageFiles(),
    signal: options.signal,
    sharing: options.sharing,
    onProgress: options.onProgress ?? (() => undefined)
  }
  const embedImage = imageEmbedding(work)
  const images = async (
    list: DatasetImage[],
    corruption: Corruption | undefined,
    onError: (image: DatasetImage, error: unknown) => void
  ): Promise<Rows> => {
    const rows = sharedRows(list.length, dimension)
    const progress = counted(work, { total: list.length, what: 'images', corruption })
    await forEachConcurrently(list.entries(), IMAGES_AT_ONCE, async ([i, image]) => {
      if (i % LOOKUPS_IN_A_ROW === 0) await breathe()
      work.signal?.throwIfAborted()
      try {
        rows.values.set(await embedImage(image, corruption), i * dimension)
      } catch (error) {
        onError(image, error)
      }
      progress(1)
    })
    return rows
  }
  return {
    model: { name: model.name, fingerprint: model.fingerprint, dimension, zeroShot: model.zeroShot },
    images: (list, corruption) =>
      images(list, corruption, (image, error) => {
        throw isAboutTheImage(error)
          ? new DatasetError(`The image '${image.id}' can't be embedded: ${reasonOf(error, image)}`, {
              cause: error
            })
          : error
      }),
    texts: (texts) =>
      embedTexts(texts, { ...work, onProgress: counted(work, { total: texts.length, what: 'texts' }) }),
    broken: async (list) => {
      const broken = new Map<DatasetImage, string>()
      await images(list, undefined, (image, error) => {
        if (!isAboutTheImage(error)) throw error
        broken.set(image, reasonOf(error, image))
      })
      return broken
    },
    close: () => kept.close()
  }
}

/** A report is made to be sent around, where the paths of this machine mean nothing. */
function reasonOf(error: unknown, { path, id }: DatasetImage): string {
  return (error as Error).message.replaceAll(path, () => id)
}

type Work = Required<Omit<EmbedderOptions, 'signal' | 'sharing'>> &
  Pick<EmbedderOptions, 'signal' | 'sharing'> & { encoder: Encoder }

/** Embeds one image, or looks it up. A file is read where it is not known yet, or its embedding is not. */
function imageEmbedding({
  encoder,
  kept,
  files,
  signal,
  sharing
}: Work): (image: DatasetImage, corruption?: Corruption) => Promise<Float32Array> {
  const corrupted = new Batcher<{ bytes: Uint8Array; corruption: Corruption }, Uint8Array>({
    run: async ([{ bytes, corruption }]) => [await corrupt(bytes, corruption, files.limits)],
    maxBatchSize: 1,
    maxDelayMs: 0,
    concurrency: CORRUPTED_AT_ONCE,
    maxQueueSize: Infinity
  })
  return async ({ path }, corruption) => {
    const known = files.digest(path)
    const before = known === undefined ? undefined : kept.get(sharedKey(imageKey(known, corruption), sharing))
    if (before) return before
    const { bytes, digest } = await files.read(path)
    const key = sharedKey(imageKey(digest, corruption), sharing)
    const found = digest === known ? undefined : kept.get(key)
    if (found) return found
    const changed = corruption ? await corrupted.add({ bytes, corruption }, { lane: 'bulk', signal }) : bytes
    const embedding = await encodeInBulk({ encoder, signal, sharing }, (encode) =>
      encoder.encodeImage(changed, encode)
    )
    kept.put(key, embedding)
    return embedding
  }
}

/**
 * Whether an error is of one image, so that others may go well: its file, its bytes, or what the encoder
 * makes of them.
 */
function isAboutTheImage(error: unknown): boolean {
  if (/^E[A-Z]+$/.test((error as NodeJS.ErrnoException).code ?? ''))
    return !['EMFILE', 'ENFILE', 'ENOMEM'].includes((error as NodeJS.ErrnoException).code!)
  return (
    isPublicError(error) &&
    (/^IMAGE_/.test(error.code) || ['ENCODER_FAILED', 'WORKER_DIED'].includes(error.code))
  )
}

function counted(
  { onProgress }: Work,
  { total, what, corruption }: Omit<EmbedProgress, 'done'>
): (more: number) => void {
  let done = 0
  onProgress({ done, total, what, corruption })
  return (more) => onProgress({ done: (done += more), total, what, corruption })
}

interface TextWork {
  encoder: Encoder
  kept: KeptEmbeddings
  signal?: AbortSignal
  sharing?: string
  /** Told how many more texts have their rows. */
  onProgress: (more: number) => void
}

/** Chunks of texts that are encoded at a time: enough for two batches of a GPU. */
const CHUNKS_AT_ONCE = 4
const CHUNK = 128

/** A row a text, in their order. Equal texts are encoded once, and those of like length together. */
async function embedTexts(
  texts: string[],
  { encoder, kept, signal, sharing, onProgress }: TextWork
): Promise<Rows> {
  const { dimension } = encoder
  const rows = sharedRows(texts.length, dimension)
  const places = new Map<string, number[]>()
  for (const [i, text] of texts.entries()) {
    const at = places.get(text)
    if (at) at.push(i)
    else places.set(text, [i])
  }
  const place = (text: string, embedding: Float32Array) => {
    const at = places.get(text)!
    for (const i of at) rows.values.set(embedding, i * dimension)
    onProgress(at.length)
  }
  const missing: string[] = []
  for (const [i, text] of [...places.keys()].entries()) {
    if (i % LOOKUPS_IN_A_ROW === 0) await breathe()
    signal?.throwIfAborted()
    const before = kept.get(sharedKey(textKey(text), sharing))
    if (before) place(text, before)
    else missing.push(text)
  }
  missing.sort((a, b) => a.length - b.length)
  const chunks = Array.from({ length: Math.ceil(missing.length / CHUNK) }, (_, i) =>
    missing.slice(i * CHUNK, (i + 1) * CHUNK)
  )
  await forEachConcurrently(chunks, CHUNKS_AT_ONCE, async (chunk) => {
    signal?.throwIfAborted()
    const embeddings = await encodeInBulk({ encoder, signal, sharing }, (options) =>
      Promise.all(encoder.encodeTexts(chunk, options))
    )
    for (const [i, text] of chunk.entries()) {
      kept.put(sharedKey(textKey(text), sharing), embeddings[i])
      place(text, embeddings[i])
    }
  })
  return rows
}

/** Gives up at the third death of a worker, which the input may have caused. */
const RETRY = { maxDeaths: 3, maxDownMs: 5 * 60_000, maxFullMs: Infinity }

/** Encodes in the bulk lane once it has capacity, and again after transient errors. */
function encodeInBulk<T>(
  { encoder, signal, sharing }: { encoder: Encoder; signal?: AbortSignal; sharing?: string },
  encode: (options: EncodeOptions) => Promise<T>
): Promise<T> {
  const encodeOnce = async () => {
    await encoder.waitForCapacity({ signal })
    return encode({ lane: 'bulk', signal, sharing })
  }
  return retry(encodeOnce, { signal, ...RETRY })
}
