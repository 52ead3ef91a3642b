import type { ImageStore } from '../../collections/stores/image-store.js'
import { ImageNotKept } from '../../errors.js'
import { type FileLimits, type ImageFiles, requireSize } from '../../evaluation/embedding/image-files.js'

/** The kept images of a collection in the place of files: the path of each is its digest. */
export function keptImages(images: Pick<ImageStore, 'read'>, limits: FileLimits): ImageFiles {
  const open = async (digest: string) => {
    const bytes = await images.read(digest)
    if (!bytes) throw new ImageNotKept(digest)
    return bytes
  }
  return {
    limits,
    open,
    read: async (digest) => {
      const bytes = await open(digest)
      requireSize(bytes.length, limits)
      return { bytes, digest }
    },
    digest: (digest) => digest,
    digestOf: async (digest) => digest
  }
}
