import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { fileDigest } from '../../collections/file-digest.js'
import type { Encoder } from '../../encoder/encoder.js'
import { ImageTooLarge } from '../../errors.js'
import { type DatasetImage, imagesOf, type LoadedDataset } from '../datasets/dataset.js'
import type { Shown, TaskReport } from '../report.js'
import { forEachConcurrently } from './for-each-concurrently.js'

/** What may be read of images. */
export interface FileLimits {
  /** Largest image file. */
  maxBytes: number
  /** Largest image, width times height. */
  maxPixels: number
}

/** The images of an evaluation by their paths, whose digests are made once. */
export interface ImageFiles {
  readonly limits: FileLimits
  /** The bytes of a file with their SHA-256 in hex. Throws IMAGE_TOO_LARGE, and the file system's errors. */
  read(path: string): Promise<{ bytes: Buffer; digest: string }>
  /** The bytes of a file of any size. Throws the file system's errors. */
  open(path: string): Promise<Buffer>
  /** The digest of a file that was read before. */
  digest(path: string): string | undefined
  /** The digest of any file, which is read only where it was not before. Throws the file system's errors. */
  digestOf(path: string): Promise<string>
}

const MIB = 2 ** 20

/** By which of some images those of the same bytes are told; what has no file stands for itself. */
export async function imageDigests(
  images: DatasetImage[],
  { files = createImageFiles(), signal }: { files?: Pick<ImageFiles, 'digestOf'>; signal?: AbortSignal }
): Promise<string[]> {
  const digests: string[] = []
  for (const { id, path } of images) {
    signal?.throwIfAborted()
    digests.push(path === '' ? `id ${id}` : await files.digestOf(path))
  }
  return digests
}

/** By the limits that the service has of itself, unless others are given. */
export function createImageFiles(limits: FileLimits = { maxBytes: 16 * MIB, maxPixels: 64e6 }): ImageFiles {
  const digests = new Map<string, string>()
  return {
    limits,
    open: (path) => readFile(path),
    digest: (path) => digests.get(path),
    digestOf: async (path) => {
      const digest = digests.get(path) ?? (await fileDigest(path))
      digests.set(path, digest)
      return digest
    },
    read: async (path) => {
      requireSize((await stat(path)).size, limits)
      const bytes = await readFile(path)
      const digest = createHash('sha256').update(bytes).digest('hex')
      digests.set(path, digest)
      return { bytes, digest }
    }
  }
}

/** Throws IMAGE_TOO_LARGE. */
export function requireSize(bytes: number, { maxBytes }: FileLimits): void {
  if (bytes > maxBytes)
    throw new ImageTooLarge(
      `it has ${(bytes / MIB).toFixed(1)} MiB; at most ${maxBytes / MIB} MiB are allowed`
    )
}

/** Thumbnails that are made at a time. */
const AT_ONCE = 8

/**
 * Thumbnails, WebP in base64, of the images that the worst queries of some tasks show, by dataset and image
 * id. One that can't be made is left out.
 */
export async function worstPictures(
  dataset: LoadedDataset,
  tasks: TaskReport[],
  { encoder, files, signal }: { encoder: Encoder; files: Pick<ImageFiles, 'open'>; signal?: AbortSignal }
): Promise<Record<string, string>> {
  const shown = new Set(
    tasks.flatMap(({ worst = [] }) =>
      worst.flatMap(({ queries }) =>
        queries.flatMap(({ query, expected, returned }) =>
          [query, ...expected, ...returned.map((one) => one.shown)].flatMap(idOf)
        )
      )
    )
  )
  const pictures: Record<string, string> = {}
  await forEachConcurrently(
    imagesOf(dataset).filter(({ id }) => shown.has(id)),
    AT_ONCE,
    async ({ id, path }) => {
      signal?.throwIfAborted()
      try {
        const thumbnail = await encoder.thumbnail(await files.open(path), { lane: 'bulk', signal })
        pictures[`${dataset.name} ${id}`] = Buffer.from(thumbnail).toString('base64')
      } catch (error) {
        signal?.throwIfAborted()
        if (!(error instanceof Error)) throw error
      }
    }
  )
  return pictures
}

function idOf(shown: Shown): string[] {
  return 'image' in shown ? [shown.image] : []
}
