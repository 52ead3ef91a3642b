import sharp from 'sharp'
import type { decodeWithAlpha } from './decode-image.js'

/** The longest side of a thumbnail, in pixels. */
export const THUMBNAIL_SIZE = 320

type DecodedImage = Awaited<ReturnType<typeof decodeWithAlpha>>

/**
 * A WebP of upright pixels, at most THUMBNAIL_SIZE on its longest side, as transparent as they are. `bytes`
 * are what the pixels were decoded from: where that is such a WebP already it is given back, since each
 * encoding loses something.
 */
export async function makeThumbnail(
  { data, width, height, channels }: DecodedImage,
  bytes: Uint8Array
): Promise<Uint8Array> {
  if (Math.max(width, height) <= THUMBNAIL_SIZE && (await isPlainWebp(bytes))) return bytes
  return sharp(data, { raw: { width, height, channels } })
    .resize(THUMBNAIL_SIZE, THUMBNAIL_SIZE, { fit: 'inside', withoutEnlargement: true })
    .webp({ quality: 80 })
    .toBuffer()
}

/** Whether an image is a WebP as it is made here: one frame, and nothing beside the pixels. */
async function isPlainWebp(bytes: Uint8Array): Promise<boolean> {
  const { format, pages = 1, exif, xmp, icc } = await sharp(bytes).metadata()
  return format === 'webp' && pages === 1 && !exif && !xmp && !icc
}
