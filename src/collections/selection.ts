import type { RecordVersion } from './stores/record-page.js'

const END = 0

/**
 * Records that pass a filter, each as of one of its writes, in one piece of memory: millions of them as
 * objects hold a thread.
 */
export interface Selection {
  updatedAt: Float64Array<ArrayBuffer>
  /** In UTF-8, each with a zero after it: ids have no control characters. */
  ids: Uint8Array<ArrayBuffer>
}

/** A selection, and the memory that it lies in. */
export function packSelection(versions: RecordVersion[]): { selection: Selection; memory: ArrayBuffer } {
  const text = versions.map(({ id }) => `${id}\0`).join('')
  const numbers = versions.length * Float64Array.BYTES_PER_ELEMENT
  const memory = new ArrayBuffer(numbers + Buffer.byteLength(text))
  const updatedAt = new Float64Array(memory, 0, versions.length)
  updatedAt.set(versions.map((version) => version.updatedAt))
  Buffer.from(memory).write(text, numbers)
  return { selection: { updatedAt, ids: new Uint8Array(memory, numbers) }, memory }
}

/** What was selected, so many at a time. */
export function* selected(
  { updatedAt, ids: { buffer, byteOffset, byteLength } }: Selection,
  count: number
): Generator<{ ids: string[]; updatedAt: number[] }> {
  const bytes = Buffer.from(buffer, byteOffset, byteLength)
  for (let [from, at] = [0, 0]; from < updatedAt.length; from += count) {
    const times = [...updatedAt.subarray(from, from + count)]
    const end = times.reduce((place) => bytes.indexOf(END, place) + 1, at)
    yield { ids: bytes.toString('utf8', at, end - 1).split('\0'), updatedAt: times }
    at = end
  }
}
