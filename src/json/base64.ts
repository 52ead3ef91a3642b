import { ImageInvalid } from '../errors.js'

const DATA_URL = /^data:[^,]{0,100};base64,/
/** No character of base64, nor of its padding. */
const LINE_BREAKS = /[\r\n]/g

/**
 * Decodes base64 that comes in pieces, with or without padding, broken into lines or not, or as a data URL.
 * Node passes over what is not base64; here it throws IMAGE_INVALID.
 */
export class Base64Decoder {
  readonly #bytes: Buffer
  #written = 0
  #rest = ''
  #hasBegun = false

  /** Of a text of so many characters, at most. */
  constructor(characters: number) {
    this.#bytes = Buffer.allocUnsafeSlow(Math.ceil(characters / 4) * 3)
  }

  add(piece: string): void {
    const text = this.#rest + (this.#hasBegun ? piece : piece.replace(DATA_URL, ''))
    this.#hasBegun = true
    const joined = text.includes('\n') || text.includes('\r') ? text.replace(LINE_BREAKS, '') : text
    const whole = joined.length - (joined.length % 4)
    this.#rest = joined.slice(whole)
    this.#write(joined.slice(0, whole))
  }

  end(): Uint8Array {
    this.#write(this.#rest)
    return this.#bytes.subarray(0, this.#written)
  }

  #write(text: string): void {
    const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
    const written = this.#bytes.write(text, this.#written, 'base64')
    // A character by itself stands for less than a byte.
    if (text.length % 4 === 1 || written !== Math.floor(((text.length - padding) * 3) / 4))
      throw new ImageInvalid('it is not base64')
    this.#written += written
  }
}

/** The bytes that a text in base64 stands for. Throws IMAGE_INVALID. */
export function decodeBase64(text: string): Uint8Array {
  const decoder = new Base64Decoder(text.length)
  decoder.add(text)
  return decoder.end()
}
