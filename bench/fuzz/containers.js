// The parts that image files are made of, so that a part can be damaged while what is around it stays whole.
import { crc32, deflateSync } from 'node:zlib'

export const PNG_SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex')

const u16 = (value, little) => {
  const bytes = Buffer.alloc(2)
  if (little) bytes.writeUInt16LE(value & 0xffff)
  else bytes.writeUInt16BE(value & 0xffff)
  return bytes
}
const u32 = (value, little) => {
  const bytes = Buffer.alloc(4)
  if (little) bytes.writeUInt32LE(value >>> 0)
  else bytes.writeUInt32BE(value >>> 0)
  return bytes
}
const ascii = (text) => Buffer.from(text, 'latin1')

/** A chunk of a PNG; its length and checksum are right unless others are given. */
export function pngChunk(type, content, { length = content.length, crc } = {}) {
  const body = Buffer.concat([ascii(type), content])
  return Buffer.concat([u32(length), body, u32(crc ?? crc32(body))])
}

/** A PNG of the given header fields, with chunks before its pixels. */
export function png(
  { width, height, depth = 8, colour = 2, interlace = 0 },
  { before = [], rows, after = [] } = {}
) {
  const header = Buffer.concat([u32(width), u32(height), Buffer.from([depth, colour, 0, 0, interlace])])
  return Buffer.concat([
    PNG_SIGNATURE,
    pngChunk('IHDR', header),
    ...before,
    pngChunk('IDAT', rows ?? deflateSync(Buffer.alloc(16))),
    ...after,
    pngChunk('IEND', Buffer.alloc(0))
  ])
}

/** Where the chunks of a PNG begin, with their types and lengths. */
export function pngChunks(bytes) {
  const parts = []
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = bytes.readUInt32BE(at)
    const end = Math.min(bytes.length, at + 12 + length)
    parts.push({
      at,
      end,
      type: bytes.toString('latin1', at + 4, at + 8),
      lengthAt: at,
      lengthBytes: 4,
      little: false
    })
    at = end
  }
  return parts
}

/** The segments of a JPEG up to its scan, which is the last of them. */
export function jpegSegments(bytes) {
  const parts = []
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff;) {
    const isScan = bytes[at + 1] === 0xda
    const end = isScan ? bytes.length : Math.min(bytes.length, at + 2 + bytes.readUInt16BE(at + 2))
    parts.push({ at, end, type: bytes[at + 1].toString(16), lengthAt: at + 2, lengthBytes: 2, little: false })
    at = end
  }
  return parts
}

/** A segment of a JPEG. */
export const jpegSegment = (marker, content, length = content.length + 2) =>
  Buffer.concat([Buffer.from([0xff, marker]), u16(length), content])

/** A JPEG with segments put behind its first two bytes. */
export const withSegments = (jpeg, ...segments) =>
  Buffer.concat([jpeg.subarray(0, 2), ...segments, jpeg.subarray(2)])

/** The chunks of a RIFF file (WebP), those inside of frames too. */
export function riffChunks(bytes, from = 12, to = bytes.length) {
  const parts = []
  for (let at = from; at + 8 <= to;) {
    const type = bytes.toString('latin1', at, at + 4)
    const length = bytes.readUInt32LE(at + 4)
    const end = Math.min(to, at + 8 + length + (length & 1))
    parts.push({ at, end, type, lengthAt: at + 4, lengthBytes: 4, little: true })
    if (type === 'ANMF') parts.push(...riffChunks(bytes, at + 24, end))
    at = end
  }
  return parts
}

export const riffChunk = (type, content, length = content.length) =>
  Buffer.concat([ascii(type), u32(length, true), content, Buffer.alloc(content.length & 1)])
/** A WebP of the given chunks. */
export const webp = (...chunks) => {
  const body = Buffer.concat(chunks)
  return Buffer.concat([ascii('RIFF'), u32(body.length + 4, true), ascii('WEBP'), body])
}

const BOX_CONTAINERS = { meta: 4, iprp: 0, ipco: 0, iinf: 6, moov: 0, trak: 0, mdia: 0, minf: 0, stbl: 0 }

/** The boxes of an ISO-BMFF file (AVIF), those inside of others too. */
export function isoBoxes(bytes, from = 0, to = bytes.length) {
  const parts = []
  for (let at = from; at + 8 <= to;) {
    const length = bytes.readUInt32BE(at)
    const type = bytes.toString('latin1', at + 4, at + 8)
    const end = length < 8 ? to : Math.min(to, at + length)
    parts.push({ at, end, type, lengthAt: at, lengthBytes: 4, little: false })
    if (type in BOX_CONTAINERS) parts.push(...isoBoxes(bytes, at + 8 + BOX_CONTAINERS[type], end))
    at = end
  }
  return parts
}

/**
 * The entries of a TIFF's directories (12 bytes each; 20 in a BigTIFF), and where the offset of the next one
 * stands.
 */
export function tiffDirectories(bytes) {
  const little = bytes[0] === 0x49
  const read16 = (at) => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at))
  const read32 = (at) => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at))
  const isBig = read16(2) === 43
  const read = (at) => (isBig && !little ? read32(at + 4) : read32(at))
  const [countBytes, entryBytes] = isBig ? [8, 20] : [2, 12]
  const directories = []
  for (let at = read(isBig ? 8 : 4), n = 0; at > 0 && at + countBytes <= bytes.length && n < 16; n++) {
    const count = isBig ? read(at) : read16(at)
    const nextAt = at + countBytes + count * entryBytes
    if (nextAt + 4 > bytes.length) break
    directories.push({
      at,
      nextAt,
      entries: Array.from({ length: count }, (_, i) => at + countBytes + i * entryBytes)
    })
    at = read(nextAt)
  }
  return { little, isBig, entryBytes, directories }
}

/**
 * A little-endian TIFF of one directory: `[tag, type, count, value]` each, the values of up to four bytes.
 */
export function tiff(entries, data = Buffer.alloc(0), next = 0) {
  const sorted = [...entries].sort(([a], [b]) => a - b)
  const directory = sorted.map(([tag, type, count, value]) =>
    Buffer.concat([u16(tag, true), u16(type, true), u32(count, true), u32(value, true)])
  )
  return Buffer.concat([
    ascii('II*\0'),
    u32(8, true),
    u16(sorted.length, true),
    ...directory,
    u32(next, true),
    data
  ])
}

/** Where the data of a `tiff` of so many entries begins. */
export const tiffDataAt = (entries) => 8 + 2 + entries * 12 + 4

/**
 * A GIF of one colour: `frames` of the given size on a screen of that size. Its codes clear the table again
 * and again, and so never grow.
 */
export function gif({ width, height, frames = 1, screen = { width, height } }, block) {
  const head = Buffer.concat([
    ascii('GIF89a'),
    u16(screen.width, true),
    u16(screen.height, true),
    Buffer.from([0x80, 0, 0, 0, 0, 0, 255, 255, 255])
  ])
  const control = Buffer.from([0x21, 0xf9, 4, 0, 1, 0, 0, 0])
  const image = Buffer.concat([
    control,
    Buffer.from([0x2c, 0, 0, 0, 0]),
    u16(width, true),
    u16(height, true),
    Buffer.from([0, 2]),
    ...(block ?? [Buffer.from([1, 0x2c, 0])])
  ])
  return Buffer.concat([head, ...Array.from({ length: frames }, () => image), Buffer.from([0x3b])])
}

/**
 * Sub-blocks of LZW codes for so many pixels of colour 0, with a table that grows as it does in any GIF: a
 * few bytes for very many pixels.
 */
export function lzwZeros(pixels) {
  const out = []
  let [buffer, bits] = [0, 0]
  const emit = (code, width) => {
    buffer |= code << bits
    for (bits += width; bits >= 8; bits -= 8) {
      out.push(buffer & 0xff)
      buffer >>>= 8
    }
  }
  const [clear, end] = [4, 5]
  emit(clear, 3)
  // Each code is the run that is longer by one than the last: n codes make n(n+1)/2 pixels; at a full table
  // it starts again.
  for (let left = pixels; left > 0;) {
    let [next, width, run] = [6, 3, 1]
    emit(0, width)
    left--
    for (; left > 0 && next < 4095; next++) {
      if (next >= 2 ** width && width < 12) width++
      run++
      emit(next, width)
      left -= run
    }
    if (left > 0) emit(clear, width)
    else emit(end, width)
  }
  if (bits > 0) out.push(buffer & 0xff)
  const blocks = []
  for (let at = 0; at < out.length; at += 255) {
    const block = out.slice(at, at + 255)
    blocks.push(Buffer.from([block.length, ...block]))
  }
  return [...blocks, Buffer.from([0])]
}

export { u16, u32, ascii }
