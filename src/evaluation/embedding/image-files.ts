import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { fileDigest } from '../../collections/file-digest.js'
import { ImageTooLarge } from '../../errors.js'
import type { DatasetImage } from '../datasets/dataset.js'

/** What may be read of images. */
export interface FileLimits {
  /** Largest image file. */
  maxBytes: number
  /** Largest image, width times height. */
  maxPixels: number
}

/** The image files of an evaluation, whose digests are made once. */
export interface ImageFiles {
  readonly limits: FileLimits
  /** The bytes of a file with their SHA-256 in hex. Throws IMAGE_TOO_LARGE, and the file system's errors. */
  read(path: string): Promise<{ bytes: Buffer; digest: string }>
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
    digest: (path) => digests.get(path),
    digestOf: async (path) => {
      const digest = digests.get(path) ?? (await fileDigest(path))
      digests.set(path, digest)
      return digest
    },
    read: async (path) => {
      const { size } = await stat(path)
      if (size > limits.maxBytes)
        throw new ImageTooLarge(`${(size / MIB).toFixed(1)} MiB, of ${limits.maxBytes / MIB} allowed`)
      const bytes = await readFile(path)
      const digest = createHash('sha256').update(bytes).digest('hex')
      digests.set(path, digest)
      return { bytes, digest }
    }
  }
}
