import { fileTypeFromBuffer } from 'file-type'
import { ImageInvalid, ImageUnsupported } from '../errors.js'

/** The media types that are decoded. */
export const IMAGE_TYPES = ['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/tiff', 'image/avif']

/**
 * The media type of an image, by its first bytes. Throws IMAGE_UNSUPPORTED for what is not decoded, HEIC among it, and
 * IMAGE_INVALID for no bytes at all.
 */
export async function sniffImage(bytes: Uint8Array): Promise<string> {
  if (bytes.length === 0) throw new ImageInvalid('it is empty')
  const type = (await fileTypeFromBuffer(bytes))?.mime
  const mime = type === 'image/apng' ? 'image/png' : type
  if (mime && IMAGE_TYPES.includes(mime)) return mime
  throw new ImageUnsupported(mime ? `of type ${mime}` : 'of no known type')
}
