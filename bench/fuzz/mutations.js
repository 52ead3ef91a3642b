import {
  isoBoxes,
  jpegSegments,
  pngChunk,
  pngChunks,
  PNG_SIGNATURE,
  riffChunks,
  tiffDirectories
} from './containers.js'

/** Numbers at which readers of lengths and sizes go wrong. */
const EDGES = [
  0, 1, 2, 7, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe,
  0xffffffff
]

const edit = (bytes, at, removed, inserted = Buffer.alloc(0)) =>
  Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at + removed)])
const range = (random, bytes, longest = bytes.length) => {
  const at = random.int(0, bytes.length)
  return [at, random.int(1, Math.min(longest, bytes.length - at) + 1)]
}

function write(bytes, at, { value, size, little }) {
  if (at < 0 || at + size > bytes.length) return
  const limited = size === 4 ? value >>> 0 : value & (2 ** (8 * size) - 1)
  if (little) bytes.writeUIntLE(limited, at, size)
  else bytes.writeUIntBE(limited, at, size)
}

/** Damage that knows nothing of the format. */
export const blind = {
  'bit flips': (random, { bytes }) => {
    const copy = Buffer.from(bytes)
    for (let left = random.pick([1, 1, 2, 4, 16, 64]); left > 0; left--)
      copy[random.int(0, copy.length)] ^= 1 << random.int(0, 8)
    return copy
  },
  'bit flips in the head': (random, { bytes }) => {
    const copy = Buffer.from(bytes)
    for (let left = random.pick([1, 2, 4, 8]); left > 0; left--)
      copy[random.int(0, Math.min(200, copy.length))] ^= 1 << random.int(0, 8)
    return copy
  },
  'edge values': (random, { bytes }) => {
    const copy = Buffer.from(bytes)
    for (let left = random.pick([1, 2, 4]); left > 0; left--)
      write(copy, random.int(0, copy.length), {
        value: random.pick(EDGES),
        size: random.pick([1, 2, 4]),
        little: random.chance(0.5)
      })
    return copy
  },
  truncation: (random, { bytes }) =>
    bytes.subarray(
      0,
      random.chance(0.3) ? random.int(0, Math.min(64, bytes.length)) : random.int(0, bytes.length)
    ),
  'a part cut out': (random, { bytes }) => edit(bytes, ...range(random, bytes, 512)),
  'a part twice': (random, { bytes }) => {
    const [at, length] = range(random, bytes, 2048)
    return edit(
      bytes,
      at,
      0,
      Buffer.concat(Array.from({ length: random.pick([1, 1, 3, 50]) }, () => bytes.subarray(at, at + length)))
    )
  },
  'a part of zeros or noise': (random, { bytes }) => {
    const [at, length] = range(random, bytes, 512)
    return edit(
      bytes,
      at,
      length,
      random.chance(0.5) ? Buffer.alloc(length, random.pick([0, 0xff])) : random.bytes(length)
    )
  },
  splice: (random, { bytes }, other) =>
    Buffer.concat([
      bytes.subarray(0, random.int(0, bytes.length)),
      other.bytes.subarray(random.int(0, other.bytes.length))
    ]),
  'something behind it': (random, { bytes }, other) =>
    Buffer.concat([bytes, random.chance(0.5) ? random.bytes(random.int(1, 4096)) : other.bytes])
}

const PARTS = { jpeg: jpegSegments, png: pngChunks, webp: riffChunks, avif: isoBoxes }

/** Damage to the parts (segments, chunks, boxes) of a file, the rest of which stays whole. */
const toParts = {
  'part lengths': (random, bytes, part) => {
    const copy = Buffer.from(bytes)
    const right =
      part.lengthBytes === 2
        ? copy.readUInt16BE(part.lengthAt)
        : part.little
          ? copy.readUInt32LE(part.lengthAt)
          : copy.readUInt32BE(part.lengthAt)
    write(copy, part.lengthAt, {
      value: random.chance(0.5) ? random.pick(EDGES) : right + random.pick([-9, -2, -1, 1, 2, 9, 256]),
      size: part.lengthBytes,
      little: part.little
    })
    return copy
  },
  'parts again': (random, bytes, { at, end }) => {
    const times = Math.min(random.pick([1, 2, 20, 300]), Math.ceil((1 << 20) / (end - at)))
    return edit(bytes, end, 0, Buffer.concat(Array.from({ length: times }, () => bytes.subarray(at, end))))
  },
  'parts missing': (random, bytes, { at, end }) => edit(bytes, at, end - at),
  'parts elsewhere': (random, bytes, { at, end }, parts) => {
    const rest = edit(bytes, at, end - at)
    return edit(rest, Math.min(rest.length, random.pick(parts).at), 0, bytes.subarray(at, end))
  },
  'content of parts': (random, bytes, part, parts) => {
    const copy = Buffer.from(bytes)
    const from = part.lengthAt + part.lengthBytes
    for (let left = random.pick([1, 2, 8]); left > 0 && part.end > from; left--)
      copy[random.int(from, part.end)] = random.pick([0, 1, 0x7f, 0x80, 0xff, random.int(0, 256)])
    // With the checksum made right again the damage gets past the first door of a PNG.
    return parts.isPng && random.chance(0.8) ? withChecksums(copy) : copy
  }
}

/** A PNG with the checksums that its chunks ought to have. */
export function withChecksums(bytes) {
  return Buffer.concat([
    PNG_SIGNATURE,
    ...pngChunks(bytes).map(({ at, end, type }) =>
      pngChunk(type, bytes.subarray(at + 8, Math.max(at + 8, end - 4)), { length: bytes.readUInt32BE(at) })
    )
  ])
}

const SIZES = [
  0,
  1,
  2,
  3,
  64,
  1000,
  7999,
  8000,
  8001,
  16383,
  16384,
  32767,
  65535,
  65536,
  100_000,
  1 << 24,
  0x7fffffff,
  0xffffffff
]

function findAll(bytes, pattern) {
  const found = []
  for (let at = bytes.indexOf(pattern); at >= 0; at = bytes.indexOf(pattern, at + 1)) found.push(at)
  return found
}

/** Where width and height stand in a file, as `[at, size, little]`. */
const DIMENSIONS = {
  jpeg: (bytes) =>
    jpegSegments(bytes)
      .filter(({ type }) => /^c[0-2]$/.test(type))
      .flatMap(({ at }) => [
        [at + 5, 2, false],
        [at + 7, 2, false]
      ]),
  png: () => [
    [16, 4, false],
    [20, 4, false]
  ],
  gif: (bytes) => [
    [6, 2, true],
    [8, 2, true],
    ...findAll(bytes, Buffer.from([0x2c, 0, 0, 0, 0])).flatMap((at) => [
      [at + 5, 2, true],
      [at + 7, 2, true]
    ])
  ],
  webp: (bytes) =>
    riffChunks(bytes).flatMap(
      ({ at, type }) =>
        ({
          VP8X: [
            [at + 12, 3, true],
            [at + 15, 3, true]
          ],
          ANMF: [
            [at + 8, 3, true],
            [at + 11, 3, true],
            [at + 14, 3, true],
            [at + 17, 3, true]
          ],
          'VP8 ': [
            [at + 14, 2, true],
            [at + 16, 2, true]
          ],
          VP8L: [[at + 9, 4, true]]
        })[type] ?? []
    ),
  avif: (bytes) =>
    findAll(bytes, Buffer.from('ispe')).flatMap((at) => [
      [at + 8, 4, false],
      [at + 12, 4, false]
    ]),
  tiff: (bytes) => {
    const { little, directories, isBig } = tiffDirectories(bytes)
    const tagOf = (at) => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at))
    const sized = directories.flatMap(({ entries }) =>
      entries.filter((at) => [256, 257, 258, 277, 278, 322, 323, 339].includes(tagOf(at)))
    )
    return sized.map((at) => [at + (isBig ? 12 : 8), 4, little])
  }
}

function dimensions(random, { format, bytes }) {
  const copy = Buffer.from(bytes)
  const fields = DIMENSIONS[format](bytes)
  if (fields.length === 0) return copy
  for (const [at, size, little] of random.chance(0.5) ? [random.pick(fields)] : fields)
    write(copy, at, { value: random.pick(SIZES), size, little })
  return format === 'png' && random.chance(0.9) ? withChecksums(copy) : copy
}

/**
 * Damage to the entries of a TIFF's directories: tags, types, counts, offsets, and where the next directory
 * is.
 */
const toDirectories = {
  'directory entries': (random, bytes, { directories, entryBytes, little }) => {
    const copy = Buffer.from(bytes)
    for (let left = random.pick([1, 1, 2, 4]); left > 0; left--) {
      const at = random.pick(random.pick(directories).entries)
      const [offset, size] = random.pick(
        entryBytes === 20
          ? [
              [0, 2],
              [2, 2],
              [4, 4],
              [8, 4],
              [12, 4],
              [16, 4]
            ]
          : [
              [0, 2],
              [2, 2],
              [4, 4],
              [8, 4]
            ]
      )
      write(copy, at + offset, {
        value: random.pick([...EDGES, random.int(0, bytes.length), random.int(254, 340)]),
        size,
        little
      })
    }
    return copy
  },
  'directories in a loop': (random, bytes, { directories, little }) => {
    const copy = Buffer.from(bytes)
    write(copy, directories.at(-1).nextAt, {
      value: random.pick([
        directories[0].at,
        directories.at(-1).at,
        directories[0].at + 2,
        random.int(0, bytes.length)
      ]),
      size: 4,
      little
    })
    return copy
  },
  'directory lengths': (random, bytes, { directories, little }) => {
    const copy = Buffer.from(bytes)
    write(copy, random.pick(directories).at, {
      value: random.pick([0, 1, 2, 200, 0x7fff, 0xffff]),
      size: 2,
      little
    })
    return copy
  },
  'directories as a child of themselves': (random, bytes, { directories, little }) => {
    const copy = Buffer.from(bytes)
    const at = random.pick(directories[0].entries)
    write(copy, at, { value: random.pick([330, 34665, 34853]), size: 2, little })
    write(copy, at + 2, { value: 4, size: 2, little })
    write(copy, at + 4, { value: random.pick([1, 100, 65535]), size: 4, little })
    write(copy, at + 8, { value: directories[0].at, size: 4, little })
    return copy
  }
}

/** The kinds of damage that know a format. Each takes a source of random numbers and a valid picture. */
export function knowing(format) {
  const kinds = { dimensions }
  if (format === 'tiff') {
    for (const [name, damage] of Object.entries(toDirectories)) {
      kinds[name] = (random, { bytes }) => {
        const found = tiffDirectories(bytes)
        return found.directories.some(({ entries }) => entries.length > 0)
          ? damage(random, bytes, found)
          : bytes
      }
    }
  }
  if (PARTS[format]) {
    for (const [name, damage] of Object.entries(toParts)) {
      kinds[name] = (random, { bytes }) => {
        const parts = Object.assign(PARTS[format](bytes), { isPng: format === 'png' })
        return parts.length > 0 ? damage(random, bytes, random.pick(parts), parts) : bytes
      }
    }
  }
  return kinds
}
