import { open, type FileHandle } from 'node:fs/promises'

/**
 * The messages of onnx.proto that lead to tensors, with the type of each field that does; all others are
 * skipped.
 */
const MESSAGES: Record<string, Record<number, string>> = {
  model: { 7: 'graph', 20: 'training', 25: 'function' },
  training: { 1: 'graph', 2: 'graph' },
  graph: { 1: 'node', 5: 'tensor', 15: 'sparse' },
  function: { 7: 'node', 11: 'attribute' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 22: 'sparse', 23: 'sparse' },
  sparse: { 1: 'tensor', 2: 'tensor' }
}
/** TensorProto: external_data (key 1, value 2), data_location, and its value for data in another file. */
const [EXTERNAL_DATA, DATA_LOCATION, EXTERNAL] = [13, 14, 1]
const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 }
const WINDOW_BYTES = 2 ** 16
/** A location is the path of a file. */
const MAX_ENTRY_BYTES = 2 ** 13

interface Range {
  type: string
  from: number
  to: number
}

/**
 * The paths at which an ONNX file has tensors outside of it (`location` in a tensor's external_data), as the
 * graph names them, sorted; of its graph, functions and all graphs within. Weights are skipped unread. Throws
 * an Error for what is not a whole ONNX file.
 */
export async function readExternalLocations(path: string): Promise<string[]> {
  const handle = await open(path)
  try {
    const { size } = await handle.stat()
    const reader = new Reader(handle, size)
    const locations = new Set<string>()
    const ranges: Range[] = [{ type: 'model', from: 0, to: size }]
    for (let range = ranges.pop(); range; range = ranges.pop()) {
      if (range.type === 'tensor') {
        const location = await externalLocation(reader, range)
        if (location !== undefined) locations.add(location)
      } else for (const inner of (await within(reader, range)).reverse()) ranges.push(inner)
    }
    return [...locations].sort()
  } catch (error) {
    if (error instanceof Malformed)
      throw new Error(`${path} is not a complete ONNX file: ${error.message}.`, { cause: error })
    throw error
  } finally {
    await handle.close()
  }
}

class Malformed extends Error {}

/** The messages in a message that lead to tensors. */
async function within(reader: Reader, { type, from, to }: Range): Promise<Range[]> {
  const found: Range[] = []
  for await (const field of fields(reader, from, to)) {
    const inner = MESSAGES[type][field.number]
    if (inner && field.wire === WIRE.bytes) found.push({ type: inner, from: field.from, to: field.to })
  }
  return found
}

async function externalLocation(reader: Reader, { from, to }: Range): Promise<string | undefined> {
  let isExternal = false
  let location: string | undefined
  for await (const field of fields(reader, from, to)) {
    if (field.number === DATA_LOCATION && field.wire === WIRE.varint) isExternal = field.value === EXTERNAL
    if (field.number === EXTERNAL_DATA && field.wire === WIRE.bytes)
      location ??= await locationOf(reader, field)
  }
  if (isExternal && location === undefined)
    throw new Malformed('a tensor has its data in another file, but does not name the file')
  return isExternal ? location : undefined
}

/** The value of a StringStringEntryProto whose key is `location`. */
async function locationOf(reader: Reader, entry: { from: number; to: number }): Promise<string | undefined> {
  if (entry.to - entry.from > MAX_ENTRY_BYTES) return undefined
  const texts: Record<number, string> = {}
  for await (const { number, wire, from, to } of fields(reader, entry.from, entry.to)) {
    if (wire === WIRE.bytes) texts[number] = (await reader.bytes(from, to)).toString('utf8')
  }
  return texts[1] === 'location' ? texts[2] : undefined
}

interface Field {
  number: number
  wire: number
  /** Of a varint. */
  value: number
  /** Where the content lies. */
  from: number
  to: number
}

async function* fields(reader: Reader, from: number, to: number): AsyncGenerator<Field> {
  for (let at = from; at < to;) {
    const tag = await reader.varint(at, to)
    const [number, wire] = [Math.floor(tag.value / 8), tag.value % 8]
    const field = { number, wire, value: 0, from: tag.next, to: tag.next }
    if (wire === WIRE.varint) {
      const { value, next } = await reader.varint(tag.next, to)
      Object.assign(field, { value, to: next })
    } else if (wire === WIRE.bytes) {
      const { value: length, next } = await reader.varint(tag.next, to)
      Object.assign(field, { from: next, to: next + length })
    } else if (wire === WIRE.fixed64 || wire === WIRE.fixed32) field.to += wire === WIRE.fixed64 ? 8 : 4
    else throw new Malformed(`byte ${at} does not start a field of a message`)
    if (field.to > to || number === 0) throw new Malformed(`the field at byte ${at} ends after its message`)
    yield field
    at = field.to
  }
}

/** Reads a file in windows, where it is asked to. */
class Reader {
  readonly #handle: FileHandle
  readonly #size: number
  #window: Buffer = Buffer.alloc(0)
  #start = 0

  constructor(handle: FileHandle, size: number) {
    this.#handle = handle
    this.#size = size
  }

  async bytes(from: number, to: number): Promise<Buffer> {
    if (from < this.#start || to > this.#start + this.#window.length) {
      const length = Math.max(to - from, Math.min(WINDOW_BYTES, this.#size - from))
      const { buffer, bytesRead } = await this.#handle.read(Buffer.alloc(length), 0, length, from)
      if (bytesRead < to - from) throw new Malformed('it ends early')
      this.#window = buffer.subarray(0, bytesRead)
      this.#start = from
    }
    return this.#window.subarray(from - this.#start, to - this.#start)
  }

  /** A whole number in base 128; larger ones than a number holds exactly are no length of anything here. */
  async varint(at: number, to: number): Promise<{ value: number; next: number }> {
    const bytes = await this.bytes(at, Math.min(at + 10, to))
    let value = 0
    for (const [i, byte] of bytes.entries()) {
      value += (byte & 0x7f) * 2 ** (7 * i)
      if (byte < 0x80) return { value, next: at + i + 1 }
    }
    throw new Malformed(`the number at byte ${at} has no end`)
  }
}
