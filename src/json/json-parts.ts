import { setImmediate as nextTurn } from 'node:timers/promises'
import { JsonText } from './json-text.js'

/** Characters in a part, about: they take a few milliseconds. */
export const PART_CHARACTERS = 2 ** 18
/** Bytes that become base64 at a time: a multiple of three, so that nothing is filled up within. */
const PART_BYTES = 3 * 2 ** 16

/** A value that an answer is made of: what is not a list or bytes is written at once. */
type Part =
  readonly unknown[] | Uint8Array | { [name: string]: Part | undefined } | string | number | boolean | null

/**
 * Writes an object as JSON in parts, each in a turn of the event loop of its own, so that others are served
 * between those of a large one. Lists are written item by item, bytes as strings of base64, and embeddings as
 * lists of numbers.
 */
export async function* jsonParts(value: { [name: string]: Part | undefined }): AsyncGenerator<string> {
  let part = ''
  for (const piece of pieces(value)) {
    part += piece
    if (part.length < PART_CHARACTERS) continue
    yield part
    part = ''
    await nextTurn()
  }
  yield part
}

function* pieces(value: Part): Generator<string> {
  if (value instanceof Uint8Array) {
    yield '"'
    for (let i = 0; i < value.length; i += PART_BYTES)
      yield Buffer.from(value.buffer, value.byteOffset + i, Math.min(PART_BYTES, value.length - i)).toString(
        'base64'
      )
    yield '"'
  } else if (Array.isArray(value)) {
    yield '['
    for (let i = 0; i < value.length; i++) yield (i > 0 ? ',' : '') + toText(value[i])
    yield ']'
  } else if (typeof value === 'object' && value !== null) {
    yield '{'
    let separator = ''
    for (const [name, item] of Object.entries(value as { [name: string]: Part | undefined })) {
      if (item === undefined) continue
      yield `${separator}${JSON.stringify(name)}:`
      yield* pieces(item)
      separator = ','
    }
    yield '}'
  } else yield JSON.stringify(value)
}

/** A value as JSON.stringify writes it, an embedding as the list of its numbers, and JSON as it is. */
function toText(value: unknown): string {
  if (value instanceof Float32Array) return JSON.stringify(Array.from(value))
  if (Array.isArray(value)) return `[${value.map(toText).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (value instanceof JsonText) return value.toString()
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${toText(field)}`).join()}}`
}
