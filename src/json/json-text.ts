/**
 * An object as the bytes of its JSON, which are made text where they are written and parsed where it is
 * looked into.
 */
export class JsonText {
  readonly #bytes: Buffer

  constructor({ buffer, byteOffset, byteLength }: Uint8Array<ArrayBuffer>) {
    this.#bytes = Buffer.from(buffer, byteOffset, byteLength)
  }

  toString(): string {
    return this.#bytes.toString()
  }

  parse(): Record<string, unknown> {
    return JSON.parse(this.toString())
  }
}
