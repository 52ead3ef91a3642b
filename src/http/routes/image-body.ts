import { ImageInvalid, ImageTooLarge } from '../../errors.js'
import { decodeBase64 } from '../../json/base64.js'
import { Unusable } from '../../json/parse.js'
import type { ImageBody, SentBase64 } from '../schemas.js'

/** The largest body that carries an image: base64 makes four characters of three bytes. */
export function imageBodyLimit(maxBytes: number): number {
  return Math.ceil(maxBytes * 1.4)
}

/**
 * The bytes of an image that came in JSON or a form itself, not by url. Throws IMAGE_INVALID for what is not
 * base64, IMAGE_TOO_LARGE over `maxBytes`.
 */
export function imageBytes(image: ImageBody, maxBytes: number): Uint8Array {
  const bytes = image instanceof Uint8Array ? image : sentBytes(image.base64!)
  if (bytes.length > maxBytes)
    throw new ImageTooLarge(`it has ${bytes.length} bytes; at most ${maxBytes} are allowed`)
  return bytes
}

/** Those of a long text were decoded while its body was parsed. */
function sentBytes(base64: SentBase64): Uint8Array {
  if (base64 instanceof Unusable) throw new ImageInvalid(base64.reason)
  return typeof base64 === 'string' ? decodeBase64(base64) : base64
}
