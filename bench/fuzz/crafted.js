// Files made to hurt: small ones that are large when decoded, metadata that has no end, and what is no
// picture at all.
import { constants, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import sharp from 'sharp'
import {
  ascii,
  gif,
  jpegSegment,
  jpegSegments,
  lzwZeros,
  png,
  pngChunk,
  riffChunk,
  tiff,
  tiffDataAt,
  u16,
  u32,
  webp,
  withSegments
} from './containers.js'

const MIB = 1 << 20
const once = (make) => {
  let made
  return () => (made ??= make())
}
/** A compressed MiB of zeros after which a stream can continue with another. */
const zeroBlock = once(() =>
  deflateRawSync(Buffer.alloc(MIB), { level: 9, finishFlush: constants.Z_FULL_FLUSH })
)

/** A zlib stream of so many zeros, of a thousandth of their size, made without having them. */
export function deflatedZeros(length) {
  const [whole, rest] = [Math.floor(length / MIB), length % MIB]
  // Of a stream of zeros the Adler-32 sums are 1 and the length.
  const checksum = (((length % 65521) << 16) | 1) >>> 0
  return Buffer.concat([
    Buffer.from([0x78, 0x01]),
    ...Array.from({ length: whole }, zeroBlock),
    deflateRawSync(Buffer.alloc(rest)),
    u32(checksum)
  ])
}

/** Just under the 64 megapixels that are allowed by default, and just over. */
const UNDER = [
  [8000, 8000],
  [65535, 976],
  [4000, 16000],
  [976, 65535]
]
const OVER = [
  [8001, 8000],
  [65535, 977],
  [65536, 10],
  [30_000, 30_000],
  [1 << 20, 1 << 20],
  [0x7fffffff, 0x7fffffff],
  [0xffffffff, 1]
]
const PNG_KINDS = [
  [1, 0],
  [8, 0],
  [16, 0],
  [8, 2],
  [16, 2],
  [8, 3],
  [8, 4],
  [8, 6],
  [16, 6]
]
const SAMPLES = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }

function zeroPng(random, [width, height], { interlace = 0 } = {}) {
  const [depth, colour] = random.pick(PNG_KINDS)
  const row = 1 + Math.ceil((width * depth * SAMPLES[colour]) / 8)
  // The seven passes of an interlaced one have some rows and bytes more.
  const length = interlace ? Math.ceil(row * height * 1.01) + 16 * height : row * height
  const palette = colour === 3 ? [pngChunk('PLTE', Buffer.alloc(768, 7))] : []
  return png(
    { width, height, depth, colour, interlace },
    { before: [...palette, pngText(random)], rows: deflatedZeros(Math.min(length, 600 * MIB)) }
  )
}

/** A chunk that makes a file one of its own. */
const pngText = (random) => pngChunk('tEXt', Buffer.concat([ascii('Comment\0'), random.bytes(8)]))

/** A TIFF of zeros in one strip or tile. */
function zeroTiff(random, [width, height]) {
  const [samples, bits, format] = random.pick([
    [1, 1, 1],
    [3, 8, 1],
    [4, 8, 1],
    [3, 16, 1],
    [4, 16, 1],
    [1, 32, 3],
    [3, 32, 3],
    [1, 64, 3]
  ])
  const compression = random.pick([8, 8, 5, 32773])
  const rowBytes = Math.ceil((width * samples * bits) / 8)
  const rows = random.pick([height, height, 16, 1])
  const strips = Math.ceil(height / rows)
  const stripBytes = rowBytes * rows
  const strip =
    compression === 8
      ? deflatedZeros(Math.min(stripBytes, 600 * MIB))
      : compression === 5
        ? Buffer.from([0x80, 0x00, 0x20])
        : Buffer.alloc(Math.min(4 * MIB, 2 * Math.ceil(stripBytes / 128)), Buffer.from([0x81, 0]))
  const dataAt = tiffDataAt(13)
  const bitsAt = dataAt
  const offsetsAt = bitsAt + 8
  const countsAt = offsetsAt + strips * 4
  const stripAt = countsAt + strips * 4
  // All strips are the same bytes, which is where a TIFF is a bomb better than any other.
  const same = (value) => Buffer.concat(Array.from({ length: strips }, () => u32(value, true)))
  const data = Buffer.concat([
    ...Array.from({ length: 4 }, () => u16(bits, true)),
    same(stripAt),
    same(strip.length),
    strip,
    random.bytes(8)
  ])
  return tiff(
    [
      [256, 4, 1, width],
      [257, 4, 1, height],
      [258, 3, samples, samples > 2 ? bitsAt : bits],
      [259, 3, 1, compression],
      [262, 3, 1, samples > 2 ? 2 : 1],
      [273, 4, strips, strips === 1 ? stripAt : offsetsAt],
      [274, 3, 1, random.pick([1, 6, 3])],
      [277, 3, 1, samples],
      [278, 4, 1, rows],
      [279, 4, strips, strips === 1 ? strip.length : countsAt],
      [284, 3, 1, 1],
      [317, 3, 1, 1],
      [339, 3, 1, format]
    ],
    data
  )
}

const solid = (width, height, channels = 3) =>
  sharp({
    create: { width, height, channels, background: { r: 9, g: 99, b: 199, alpha: 0.5 } },
    limitInputPixels: false
  })
/** 64 megapixels of inks, made as such: converting them would take a quarter of a minute. */
const cmyk = (encode) =>
  encode(
    sharp(Buffer.alloc(8000 * 8000 * 4, 77), {
      raw: { width: 8000, height: 8000, channels: 4 },
      limitInputPixels: false
    })
      .pipelineColourspace('cmyk')
      .toColourspace('cmyk')
  ).toBuffer()
const large = {
  'webp lossless': once(() => solid(8000, 8000, 4).webp({ lossless: true, effort: 0 }).toBuffer()),
  'webp lossy': once(() => solid(8000, 8000).webp({ effort: 0 }).toBuffer()),
  'jpeg progressive': once(() =>
    solid(8000, 8000).jpeg({ progressive: true, chromaSubsampling: '4:4:4' }).toBuffer()
  ),
  'jpeg turned': once(() => solid(8000, 8000).withMetadata({ orientation: 6 }).jpeg().toBuffer()),
  'jpeg cmyk': once(() => cmyk((image) => image.jpeg())),
  'tiff cmyk with a profile': once(() =>
    cmyk((image) => image.withIccProfile('cmyk').tiff({ compression: 'deflate' }))
  ),
  'tiff cmyk': once(() => cmyk((image) => image.tiff({ compression: 'lzw' }))),
  'png with a profile': once(() =>
    solid(8000, 8000).withIccProfile('p3').png({ compressionLevel: 1 }).toBuffer()
  ),
  'png deflated': once(() => solid(8000, 8000, 4).png({ progressive: true, compressionLevel: 1 }).toBuffer()),
  avif: once(() => solid(8000, 8000).avif({ effort: 0, quality: 1 }).toBuffer())
}

/**
 * A file of 64 megapixels that a real encoder made, with something behind it that makes it one of its own.
 */
const largeOf = (name) => async (random) => Buffer.concat([await large[name](), random.bytes(8)])

const gifBomb = (random, [width, height]) => {
  const size = { width: Math.min(width, 65535), height: Math.min(height, 65535) }
  return Buffer.concat([gif(size, lzwZeros(Math.min(size.width * size.height, 80e6))), random.bytes(8)])
}

/** Makes the large pictures, so that it takes no processor time from the service afterwards. */
export const makeLarge = async () => {
  for (const make of Object.values(large)) await make()
}

/** Pictures just under the limit: to be decoded, whatever that takes, or refused. */
export const heavy = {
  'png under the limit': (random) => zeroPng(random, random.pick(UNDER)),
  'png interlaced under the limit': (random) => zeroPng(random, random.pick(UNDER), { interlace: 1 }),
  'gif under the limit': (random) => gifBomb(random, random.pick(UNDER)),
  'tiff under the limit': (random) => zeroTiff(random, random.pick(UNDER)),
  ...Object.fromEntries(Object.keys(large).map((name) => [`${name} under the limit`, largeOf(name)])),
  'jpeg of very many scans': (random) =>
    scansOfNothing({ width: 8000, height: 8000 }, random.pick([5, 30, 60]))
}

/**
 * A progressive JPEG of one grey, whose scans are all as they may be: each coefficient by itself, bit by bit,
 * and nothing in any. A scan is some tens of bytes, for which a decoder goes over the whole picture.
 */
function scansOfNothing({ width, height }, scans) {
  const blocks = Math.ceil(width / 8) * Math.ceil(height / 8)
  const table = (kind, symbol) => jpegSegment(0xc4, Buffer.from([kind, 1, ...Array(15).fill(0), symbol]))
  const scan = (band, bits, data) => [jpegSegment(0xda, Buffer.from([1, 1, 0, ...band, bits])), data]
  // DC: a bit for each block. AC: the one code, 0, and 14 bits of how many blocks beyond 2^14 have no more
  // coefficients.
  const runs = []
  for (let left = blocks; left > 0;) {
    const run = Math.min(left, 2 ** 15 - 1)
    if (run < 2 ** 14) break
    runs.push(`0${(run - 2 ** 14).toString(2).padStart(14, '0')}`)
    left -= run
  }
  const bits = runs.join('')
  const ac = Buffer.from(
    Uint8Array.from({ length: Math.ceil(bits.length / 8) }, (_, i) =>
      parseInt(bits.slice(8 * i, 8 * i + 8).padEnd(8, '0'), 2)
    )
  )
  const stuffed = Buffer.from([...ac].flatMap((byte) => (byte === 0xff ? [0xff, 0] : [byte])))
  const all = []
  for (let coefficient = 1; coefficient < 64; coefficient++) {
    for (let low = 13; low >= 0; low--)
      all.push(scan([coefficient, coefficient], ((low === 13 ? 0 : low + 1) << 4) | low, stuffed))
  }
  return Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    jpegSegment(0xdb, Buffer.alloc(65, 1).fill(0, 0, 1)),
    jpegSegment(
      0xc2,
      Buffer.concat([Buffer.from([8]), u16(height), u16(width), Buffer.from([1, 1, 0x11, 0])])
    ),
    table(0x00, 0),
    table(0x10, 0xe0),
    ...scan([0, 0], 0, Buffer.alloc(Math.ceil(blocks / 8))),
    ...all.slice(0, scans).flat(),
    Buffer.from([0xff, 0xd9])
  ])
}

/**
 * A progressive JPEG whose last scan comes again and again: each makes a decoder go over the whole picture.
 */
function manyScans(jpeg, times) {
  const from = jpegSegments(jpeg).at(-1).at
  let last = from
  for (
    let at = jpeg.indexOf(Buffer.from([0xff, 0xda]), from);
    at >= 0;
    at = jpeg.indexOf(Buffer.from([0xff, 0xda]), at + 2)
  )
    last = at
  const scan = jpeg.subarray(last, jpeg.length - 2)
  const fitting = Math.min(times, Math.floor((10 * MIB) / scan.length))
  return Buffer.concat([
    jpeg.subarray(0, jpeg.length - 2),
    ...Array.from({ length: fitting }, () => scan),
    jpeg.subarray(-2)
  ])
}

const tinyJpeg = once(() =>
  sharp({ create: { width: 16, height: 16, channels: 3, background: 'red' } })
    .jpeg()
    .toBuffer()
)
const tinyWebp = once(() =>
  sharp({ create: { width: 16, height: 16, channels: 3, background: 'red' } })
    .webp()
    .toBuffer()
)
const tinyProgressive = once(() => solid(64, 64).jpeg({ progressive: true }).toBuffer())
const tinyPng = (random, before) =>
  png(
    { width: 1, height: 1 },
    { before: [...before, pngText(random)], rows: deflateSync(Buffer.from([0, 255, 0, 0])) }
  )

/** EXIF of one directory, of the entries `[tag, type, count, value]`. */
const exif = (entries, next) =>
  jpegSegment(0xe1, Buffer.concat([ascii('Exif\0\0'), tiff(entries, Buffer.alloc(64), next)]))
const iccSegments = (profile) => {
  const size = 65_000
  const count = Math.min(255, Math.ceil(profile.length / size))
  return Array.from({ length: count }, (_, i) =>
    jpegSegment(
      0xe2,
      Buffer.concat([
        ascii('ICC_PROFILE\0'),
        Buffer.from([i + 1, count]),
        profile.subarray(i * size, (i + 1) * size)
      ])
    )
  )
}
/** An ICC profile whose header is right and whose tags are whatever comes. */
const iccProfile = (random, length) => {
  const header = Buffer.alloc(128)
  header.writeUInt32BE(length)
  header.write('lcms\x04\x30\0\0mntrRGB XYZ ', 4, 'latin1')
  header.write('acsp', 36, 'latin1')
  const tags = random.pick([0, 1, 9, 200, 0xffffffff])
  return Buffer.concat([
    header,
    u32(tags),
    random.bytes(Math.min(length, 2400)),
    Buffer.alloc(Math.max(0, length - 2532))
  ])
}
const XML = '<?xml version="1.0"?>'
const SVG =
  '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9">'
const ENTITIES = Array.from({ length: 9 }, (_, i) => `<!ENTITY l${i + 1} "${`&l${i};`.repeat(10)}">`)
const svgs = [
  `${XML}${SVG}<rect width="9" height="9" fill="red"/></svg>`,
  `${SVG}<image xlink:href="file:///etc/passwd" width="9" height="9"/></svg>`,
  `${SVG}<image href="http://127.0.0.1:1/x.png" width="9" height="9"/></svg>`,
  `${XML}<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>${SVG}<text>&x;</text></svg>`,
  `${XML}<!DOCTYPE svg [${ENTITIES.join('')}<!ENTITY l0 "lol">]>${SVG}<text>&l9;</text></svg>`,
  `${' '.repeat(500)}\n<!-- ${'x'.repeat(2000)} -->${SVG}</svg>`,
  `\ufeff${XML}${SVG.replace('9', '100000').replace('9', '100000')}</svg>`
].map((text) => Buffer.from(text))
const SIGNATURES = [
  '\x89PNG\r\n\x1a\n',
  'GIF89a',
  'GIF87a\x01\0\x01\0\0\0\0',
  '\xff\xd8\xff\xe0',
  'II*\0',
  'MM\0*',
  'RIFF\x10\0\0\0WEBP',
  '\0\0\0\x1cftypavif'
].map((text) => ascii(text))
const iso = (brand, ...compatible) =>
  Buffer.concat([u32(16 + 4 * compatible.length), ascii(`ftyp${brand}`), u32(0), ascii(compatible.join(''))])

/**
 * What is not decoded here: other formats, documents, archives, and what makes a sniffer go round in circles.
 */
const FOREIGN = {
  svg: (random) => random.pick(svgs),
  'svg compressed': (random) => gzipSync(random.pick(svgs)),
  'svg behind a signature': (random) =>
    Buffer.concat([
      random.pick(SIGNATURES),
      random.chance(0.5) ? Buffer.alloc(random.int(0, 64)) : Buffer.alloc(0),
      random.pick(svgs)
    ]),
  heic: (random) =>
    Buffer.concat([
      iso(random.pick(['heic', 'heix', 'hevc', 'mif1', 'msf1']), 'mif1', 'heic'),
      random.bytes(random.int(0, 400))
    ]),
  'heif under the name of avif': (random) =>
    Buffer.concat([iso('avif', 'mif1', 'heic'), u32(8), ascii('meta'), random.bytes(200)]),
  'avif sequence': (random) => Buffer.concat([iso('avis', 'avif', 'mif1'), random.bytes(200)]),
  pdf: (random) =>
    Buffer.concat([ascii('%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n%%EOF\n'), random.bytes(8)]),
  eps: (random) =>
    random.pick([
      ascii('%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n'),
      Buffer.from('c5d0d3c620000000ff000000', 'hex')
    ]),
  'other formats': (random) => {
    const heads = [
      '8BPS\0\x01\0\0\0\0\0\0\0\x03\0\0\0\x09\0\0\0\x09\0\x08\0\x03',
      'BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0',
      '\0\0\x01\0\x01\0\x10\x10',
      '\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 ',
      '\xff\x4f\xff\x51',
      '\0\0\0\x0cJXL \r\n\x87\n',
      '\xff\x0a',
      '\x76\x2f\x31\x01\x02\0\0\0',
      '#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 9 +X 9\n',
      'P6\n9 9\n255\n',
      'PF\n9 9\n-1.0\n',
      'SIMPLE  =                    T',
      'MATLAB 5.0 MAT-file',
      '\x08\xf2\xa6\xb6',
      '\xb6\xa6\xf2\x08',
      'qoif\0\0\0\x09\0\0\0\x09\x03\0',
      'IIII',
      'II\x2b\0\x08\0',
      'BPG\xfb',
      'FORM\0\0\0\0ILBM',
      '\x1aE\xdf\xa3'
    ]
    return Buffer.concat([ascii(random.pick(heads)), random.bytes(random.int(0, 600))])
  },
  'archives and films': (random) => {
    const zip = Buffer.concat([
      ascii('PK\x03\x04'),
      Buffer.alloc(14),
      u32(random.pick([0, 5, 0xffffffff]), true),
      u32(9, true),
      u16(random.pick([0, 3, 0xffff]), true),
      u16(0, true),
      ascii('a/b')
    ])
    const asf = Buffer.concat([
      Buffer.from('3026b2758e66cf11a6d900aa0062ce6c', 'hex'),
      Buffer.alloc(14),
      random.bytes(16),
      Buffer.alloc(random.pick([0, 8, 64]))
    ])
    const id3 = Buffer.concat([
      ascii('ID3\x04\0\0'),
      Buffer.from(
        random.pick([
          [0, 0, 0, 0],
          [0x7f, 0x7f, 0x7f, 0x7f],
          [0, 0, 0, 9]
        ])
      ),
      random.bytes(32)
    ])
    const ebml = Buffer.concat([Buffer.from('1a45dfa3', 'hex'), random.bytes(random.int(0, 40))])
    return random.pick([
      zip,
      Buffer.concat(Array.from({ length: 400 }, () => zip)),
      asf,
      id3,
      Buffer.concat(Array.from({ length: 400 }, () => id3)),
      ebml,
      Buffer.alloc(1024, 0),
      Buffer.concat([Buffer.from('1f8b0800', 'hex'), random.bytes(40)])
    ])
  },
  'text and noise': (random) =>
    random.pick([
      Buffer.alloc(0),
      Buffer.from([random.int(0, 256)]),
      ascii('hello'),
      random.bytes(random.int(1, 5000)),
      Buffer.from('<html><body onload=alert(1)>'),
      Buffer.alloc(random.int(1, 100_000))
    ]),
  'signature alone': (random) => Buffer.concat([random.pick(SIGNATURES), random.bytes(random.int(0, 300))]),
  polyglot: async (random) => {
    const [one, other] = [
      random.pick([await tinyJpeg(), await tinyWebp(), gif({ width: 1, height: 1 })]),
      random.pick([
        ...svgs,
        ascii('%PDF-1.7\n%%EOF'),
        ascii('*/=1;alert(1)//'),
        ascii('PK\x05\x06'.padEnd(22, '\0')),
        await tinyJpeg()
      ])
    ]
    return Buffer.concat([one, other, random.bytes(4)])
  }
}

/** Metadata that nests, loops or does not end, around a picture of a few pixels. */
const METADATA = {
  'EXIF in a loop': async (random) => {
    const self = random.pick([8, 10, 0, 26])
    return withSegments(
      await tinyJpeg(),
      ...Array.from({ length: random.pick([1, 1, 100]) }, () =>
        exif(
          [
            [0x8769, 4, 1, self],
            [0x8825, 4, 1, self],
            [0xa005, 4, 1, self],
            [0x14a, 4, 1, self],
            [0x0112, 3, random.pick([0, 1, 0xffffffff]), random.pick([0, 1, 6, 9, 255, 0xffffffff])]
          ],
          self
        )
      )
    )
  },
  'EXIF of huge counts': async (random) =>
    withSegments(
      await tinyJpeg(),
      exif(
        Array.from({ length: random.pick([1, 50, 1000]) }, () => [
          random.int(0, 65536),
          random.int(0, 16),
          random.pick([0, 1, 1000, 0x7fffffff, 0xffffffff]),
          random.pick([0, 8, 100, 0xfffffff0])
        ]),
        random.pick([0, 8, 0xffffffff])
      )
    ),
  'EXIF of many names': async (random) =>
    withSegments(
      await tinyJpeg(),
      ...Array.from({ length: 200 }, () =>
        jpegSegment(0xe1, Buffer.concat([ascii('Exif\0\0'), random.bytes(20)]))
      )
    ),
  'jpeg profile of many MiB': async (random) =>
    withSegments(
      await tinyJpeg(),
      ...iccSegments(iccProfile(random, random.pick([200, 5000, MIB, 10 * MIB])))
    ),
  'jpeg profile in the wrong order': async (random) =>
    withSegments(
      await tinyJpeg(),
      ...iccSegments(iccProfile(random, 200_000)).reverse(),
      ...iccSegments(random.bytes(5000))
    ),
  'jpeg of very many segments': async (random) =>
    withSegments(
      await tinyJpeg(),
      Buffer.concat(
        Array.from({ length: random.pick([1000, 50_000, 300_000]) }, () =>
          jpegSegment(random.pick([0xfe, 0xe3, 0xed]), random.bytes(random.int(0, 6)))
        )
      )
    ),
  'jpeg with XMP of many MiB': async (random) =>
    withSegments(
      await tinyJpeg(),
      ...Array.from({ length: 150 }, () =>
        jpegSegment(
          0xe1,
          Buffer.concat([
            ascii('http://ns.adobe.com/xap/1.0/\0'),
            Buffer.alloc(65_000, random.pick(['<a>', '&x;', ' ']))
          ])
        )
      )
    ),
  'jpeg of very many scans, small': async () => manyScans(await tinyProgressive(), 20_000),
  'jpeg of more scans than any': (random) =>
    Buffer.concat([
      scansOfNothing({ width: 8000, height: 8000 }, random.pick([64, 100, 882])),
      random.bytes(8)
    ]),
  'png text that swells': (random) =>
    tinyPng(
      random,
      Array.from({ length: random.pick([1, 4]) }, () =>
        pngChunk(
          random.pick(['zTXt', 'iTXt']),
          Buffer.concat([
            ascii('Title\0'),
            random.chance(0.5) ? Buffer.from([0]) : Buffer.from([1, 0, 0, 0]),
            deflatedZeros(random.pick([1, 100, 2000]) * MIB)
          ])
        )
      )
    ),
  'png profile that swells': (random) =>
    tinyPng(random, [
      pngChunk(
        'iCCP',
        Buffer.concat([
          ascii('name\0\0'),
          random.chance(0.5)
            ? deflatedZeros(random.pick([1, 500, 3000]) * MIB)
            : deflateSync(iccProfile(random, random.pick([200, 4 * MIB])))
        ])
      )
    ]),
  'png of very many chunks': (random) =>
    tinyPng(
      random,
      Array.from({ length: random.pick([1000, 20_000, 200_000]) }, (_, i) =>
        pngChunk(random.pick(['tEXt', 'abCd', 'sPLT']), ascii(`k${i}\0v`))
      )
    ),
  'png of very many pixel chunks': (random) =>
    png(
      { width: 1, height: 1 },
      {
        before: [
          pngText(random),
          ...Array.from({ length: 100_000 }, () => pngChunk('IDAT', Buffer.alloc(0)))
        ],
        rows: deflateSync(Buffer.from([0, 255, 0, 0]))
      }
    ),
  'png with EXIF in a loop': (random) =>
    tinyPng(random, [
      pngChunk(
        'eXIf',
        tiff(
          [
            [0x8769, 4, 1, 8],
            [0x112, 3, 1, 6]
          ],
          undefined,
          8
        )
      )
    ]),
  'apng of very many frames': (random) =>
    tinyPng(random, [
      pngChunk('acTL', Buffer.concat([u32(random.pick([1, 100_000, 0xffffffff])), u32(0)])),
      ...Array.from({ length: 5000 }, (_, i) =>
        pngChunk(
          'fcTL',
          Buffer.concat([u32(i), u32(1), u32(1), u32(0), u32(0), u16(1), u16(1), Buffer.from([0, 0])])
        )
      )
    ]),
  'webp metadata': async (random) => {
    const still = (await tinyWebp()).subarray(12)
    const extended = riffChunk(
      'VP8X',
      Buffer.concat([
        Buffer.from([random.pick([0x20, 0x08, 0x04, 0x2c, 0xff]), 0, 0, 0]),
        Buffer.from([15, 0, 0, 15, 0, 0])
      ])
    )
    const padded = (type, length) =>
      riffChunk(type, type === 'ICCP' ? iccProfile(random, length) : Buffer.alloc(length, 'x'))
    return webp(
      extended,
      padded('ICCP', random.pick([200, 6 * MIB])),
      still,
      padded('EXIF', random.pick([10, 4 * MIB])),
      padded('XMP ', 1000),
      random.bytes(8)
    )
  }
}

/** Sizes over the limit, frames without end, canvases that do not fit their frames. */
const SIZES = {
  'png over the limit': (random) =>
    zeroPng(
      random,
      random.pick(OVER).map((side) => Math.min(side, 0x7fffffff))
    ),
  'tiff over the limit': (random) => zeroTiff(random, random.pick(OVER.slice(0, 4))),
  'gif over the limit': (random) => gifBomb(random, random.pick(OVER)),
  'webp over the limit': async (random) => {
    const bytes = Buffer.from(await large['webp lossless']())
    const at = bytes.indexOf('VP8L') + 9
    // 14 bits each of width and height, less one.
    bytes.writeUInt32LE(
      ((bytes.readUInt32LE(at) & 0xf0000000) | 16383 | (random.pick([8000, 16383]) << 14)) >>> 0,
      at
    )
    return Buffer.concat([bytes, random.bytes(8)])
  },
  'jpeg over the limit': async (random) => {
    const bytes = Buffer.from(await tinyJpeg())
    const { at } = jpegSegments(bytes).find(({ type }) => type === 'c0')
    const [height, width] = random.pick([
      [8000, 8001],
      [65535, 65535],
      [65535, 1],
      [0, 100],
      [100, 0]
    ])
    bytes.writeUInt16BE(height, at + 5)
    bytes.writeUInt16BE(width, at + 7)
    return Buffer.concat([bytes, random.bytes(8)])
  },
  'gif of very many frames': (random) =>
    gif({ width: 2, height: 2, frames: random.pick([100, 5000, 100_000]) }, lzwZeros(4)),
  'gif of frames unlike its screen': (random) =>
    gif(
      {
        width: random.pick([1, 100, 65535]),
        height: random.pick([1, 65535]),
        frames: random.pick([1, 3]),
        screen: { width: random.pick([0, 1, 50, 7000]), height: random.pick([0, 1, 8000]) }
      },
      lzwZeros(random.pick([1, 100, 100_000]))
    ),
  'webp of very many frames': (random) => {
    const [width, height] = random.pick([
      [1, 1],
      [16383, 3000],
      [16777215, 16777215]
    ])
    const u24 = (value) => u32(value, true).subarray(0, 3)
    const pixels = riffChunk('VP8L', Buffer.from('2f00000000078850fffe0100', 'hex'))
    const frame = riffChunk(
      'ANMF',
      Buffer.concat([u24(0), u24(0), u24(0), u24(0), u24(10), Buffer.from([0]), pixels])
    )
    return webp(
      riffChunk('VP8X', Buffer.concat([Buffer.from([2, 0, 0, 0]), u24(width - 1), u24(height - 1)])),
      riffChunk('ANIM', Buffer.alloc(6)),
      ...Array.from({ length: random.pick([1, 1000, 50_000]) }, () => frame),
      random.bytes(8)
    )
  },
  'tiff of very many directories': (random) => {
    const count = random.pick([100, 5000, 60_000])
    const size = 2 + 3 * 12 + 4
    const directory = (i) =>
      Buffer.concat([
        u16(3, true),
        ...[
          [256, 8],
          [257, 8],
          [258, 8]
        ].map(([tag, value]) =>
          Buffer.concat([u16(tag, true), u16(3, true), u32(1, true), u32(value, true)])
        ),
        u32(i + 1 < count ? 8 + (i + 1) * size : 0, true)
      ])
    return Buffer.concat([
      ascii('II*\0'),
      u32(8, true),
      ...Array.from({ length: count }, (_, i) => directory(i)),
      random.bytes(8)
    ])
  }
}

/** All that is cheap to decode or to refuse. */
export const crafted = { ...FOREIGN, ...METADATA, ...SIZES }
