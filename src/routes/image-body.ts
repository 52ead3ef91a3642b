import { ImageInvalid, ImageTooLarge } from '../errors.js'
import type { ImageBody } from '../schemas.js'

const DATA_URL = /^data:[^,]{0,100};base64,/

/** The largest body that carries an image: base64 makes four characters of three bytes. */
export function imageBodyLimit(maxBytes: number): number {
  return Math.ceil(maxBytes * 1.4)
}

/**
 * The bytes of an image that came in JSON or a form itself, not by url. Throws IMAGE_INVALID for what is not base64,
 * IMAGE_TOO_LARGE over `maxBytes`.
 */
export function imageBytes(image: ImageBody, maxBytes: number): Uint8Array {
  const bytes = image instanceof Uint8Array ? image : decodeBase64(image.base64!)
  if (bytes.length > maxBytes) throw new ImageTooLarge(`${bytes.length} bytes, of ${maxBytes} allowed`)
  return bytes
}

function decodeBase64(text: string): Uint8Array {
  const base64 = text.slice(0, 200).match(DATA_URL) ? text.slice(text.indexOf(',') + 1) : text
  // Lines of base64 are broken in mail and by some encoders.
  const joined = base64.includes('\n') ? base64.replace(/[\r\n]/g, '') : base64
  const bytes = Buffer.from(joined, 'base64')
  // Node passes over what is not base64; then the bytes are fewer than the text stands for.
  const padding = joined.endsWith('==') ? 2 : joined.endsWith('=') ? 1 : 0
  if (bytes.length !== Math.floor(((joined.length - padding) * 3) / 4)) throw new ImageInvalid('it is not base64')
  return bytes
}
