import sharp from 'sharp'
import type { Pixels } from './resample.js'

/** The longest side of a thumbnail, in pixels. */
export const THUMBNAIL_SIZE = 320

/** A WebP of upright RGB pixels, at most THUMBNAIL_SIZE on its longest side. */
export async function makeThumbnail({ data, width, height }: Pixels): Promise<Uint8Array> {
  return sharp(data, { raw: { width, height, channels: 3 } })
    .resize(THUMBNAIL_SIZE, THUMBNAIL_SIZE, { fit: 'inside', withoutEnlargement: true })
    .webp({ quality: 80 })
    .toBuffer()
}
