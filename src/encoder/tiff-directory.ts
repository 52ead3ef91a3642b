/**
 * The first directory of a TIFF (TIFF 6.0, section 2; BigTIFF has 64-bit counts and offsets). libvips decodes
 * the pixels; a few tags have to be known before it does, and a copy without the others can be made.
 */
export interface TiffDirectory {
  /** The values of a tag that holds whole numbers; empty where it is missing. */
  numbers(tag: number): number[]
  /**
   * The file with a directory of the tags that pixels depend on alone, and some of them set to another
   * number.
   */
  pixelTagsOnly(changes?: Record<number, number>): Uint8Array
}

export const TAGS = { compression: 259, photometric: 262, extraSamples: 338 }
export const PHOTOMETRIC = { rgb: 2, yCbCr: 6, cieLab: 8, iccLab: 9 }
export const COMPRESSION = { oldJpeg: 6, jpeg: 7 }

/** Size, samples, compression, strips and tiles, colours, orientation, ICC profile. */
const PIXEL_TAGS = new Set([
  256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 284, 292, 293, 317, 320, 322, 323, 324, 325, 332,
  334, 338, 339, 347, 512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530, 531, 532, 34675
])
/**
 * Bytes of a value by its type: BYTE, ASCII, SHORT, LONG, RATIONAL and so on; the last three are BigTIFF's.
 */
const TYPE_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8]
/** Types of unsigned whole numbers: BYTE, SHORT, LONG, LONG8. */
const WHOLE = new Set([1, 3, 4, 16])
const MAX_TAGS = 4096
/** As many as the tags read here can have; a table of strips has more, and is not read. */
const MAX_VALUES = 64

interface Entry {
  tag: number
  type: number
  count: number
  /** Where the entry lies. */
  at: number
}

interface Shape {
  view: DataView
  little: boolean
  big: boolean
}

/** Reads the first directory of a TIFF; undefined where it is not whole. Values behind its end are none. */
export function readTiffDirectory(bytes: Uint8Array): TiffDirectory | undefined {
  try {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const little = view.getUint16(0) === 0x4949
    const shape = { view, little, big: view.getUint16(2, little) === 43 }
    const entries = readEntries(shape)
    return (
      entries && {
        numbers: (tag) =>
          numbersOf(
            shape,
            entries.find((entry) => entry.tag === tag)
          ),
        pixelTagsOnly: (changes = {}) =>
          copyWith(
            shape,
            entries.filter(({ tag }) => PIXEL_TAGS.has(tag)),
            changes
          )
      }
    )
  } catch (error) {
    // A read behind the end of the file.
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** Entries have 12 bytes, tag, type, count and value, or 20 in BigTIFF. */
function readEntries({ view, little, big }: Shape): Entry[] | undefined {
  const at = big ? Number(view.getBigUint64(8, little)) : view.getUint32(4, little)
  const count = big ? Number(view.getBigUint64(at, little)) : view.getUint16(at, little)
  if (count > MAX_TAGS) return undefined
  return Array.from({ length: count }, (_, i) => {
    const entry = at + (big ? 8 + i * 20 : 2 + i * 12)
    const values = big ? Number(view.getBigUint64(entry + 4, little)) : view.getUint32(entry + 4, little)
    return {
      tag: view.getUint16(entry, little),
      type: view.getUint16(entry + 2, little),
      count: values,
      at: entry
    }
  })
}

function numbersOf({ view, little, big }: Shape, entry: Entry | undefined): number[] {
  if (!entry || !WHOLE.has(entry.type) || entry.count > MAX_VALUES) return []
  const bytes = TYPE_BYTES[entry.type]
  const place = entry.at + (big ? 12 : 8)
  const inlineBytes = big ? 8 : 4
  const size = bytes * entry.count
  if (place + inlineBytes > view.byteLength) return []
  const from =
    size <= inlineBytes
      ? place
      : big
        ? Number(view.getBigUint64(place, little))
        : view.getUint32(place, little)
  if (from + size > view.byteLength) return []
  const read = (at: number) => {
    if (bytes === 8) return Number(view.getBigUint64(at, little))
    return bytes === 4
      ? view.getUint32(at, little)
      : bytes === 2
        ? view.getUint16(at, little)
        : view.getUint8(at)
  }
  return Array.from({ length: entry.count }, (_, i) => read(from + i * bytes))
}

/**
 * The new directory goes behind the file, so that all other offsets stay as they are; no other directory
 * follows it.
 */
function copyWith(
  { view, little, big }: Shape,
  entries: Entry[],
  changes: Record<number, number>
): Uint8Array {
  const { buffer, byteOffset, byteLength } = view
  const bytes = new Uint8Array(buffer, byteOffset, byteLength)
  const [start, entryBytes, countBytes] = [byteLength + (byteLength % 2), big ? 20 : 12, big ? 8 : 2]
  const copy = new Uint8Array(start + countBytes + entries.length * entryBytes + 8)
  copy.set(bytes)
  const out = new DataView(copy.buffer)
  if (big) out.setBigUint64(8, BigInt(start), little)
  else out.setUint32(4, start, little)
  if (big) out.setBigUint64(start, BigInt(entries.length), little)
  else out.setUint16(start, entries.length, little)
  entries
    .sort((a, b) => a.tag - b.tag)
    .forEach(({ tag, at }, i) => {
      const to = start + countBytes + i * entryBytes
      copy.set(bytes.subarray(at, at + entryBytes), to)
      if (tag in changes) out.setUint16(to + (big ? 12 : 8), changes[tag], little)
    })
  return copy
}
