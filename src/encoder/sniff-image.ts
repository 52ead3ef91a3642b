import { fileTypeFromBuffer } from 'file-type'
import { ImageInvalid, ImageUnsupported } from '../errors.js'

/** The media types that are decoded. */
export const IMAGE_TYPES = ['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/tiff', 'image/avif']

/** The first bytes of TIFF and BigTIFF, little and big endian. */
const TIFF_STARTS = ['II*\0', 'MM\0*', 'II+\0', 'MM\0+']

/**
 * The media type of an image, by its first bytes. Throws IMAGE_UNSUPPORTED for what is not decoded, HEIC
 * among it, and IMAGE_INVALID for no bytes at all.
 */
export async function sniffImage(bytes: Uint8Array): Promise<string> {
  if (bytes.length === 0) throw new ImageInvalid('it is empty')
  const type = (await fileTypeFromBuffer(bytes))?.mime ?? tiffByStart(bytes)
  const mime = type === 'image/apng' ? 'image/png' : type
  if (mime && IMAGE_TYPES.includes(mime)) return mime
  throw new ImageUnsupported(mime ? `of type ${mime}` : 'of no known type')
}

/**
 * A TIFF's directory, which tells it from raw formats of cameras, mostly lies at its end: a cut one is known
 * by its start.
 */
function tiffByStart(bytes: Uint8Array): string | undefined {
  const start = String.fromCharCode(...bytes.subarray(0, 4))
  return TIFF_STARTS.includes(start) ? 'image/tiff' : undefined
}
