import { readFile } from 'node:fs/promises'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import sharp, { type Sharp } from 'sharp'
import t from 'tap'
import { decodeImage, decodeWithAlpha } from '../../../src/encoder/decode-image.js'
import { readTiffDirectory, TAGS } from '../../../src/encoder/tiff-directory.js'

const limits = { maxPixels: 4e6 }
const [WIDTH, HEIGHT, BLOCK] = [96, 80, 8]
const tiffFolder = new URL('../../fixtures/tiff/', import.meta.url)
const tiffFile = (name: string) => readFile(new URL(`${name}.tif`, tiffFolder))

function seeded(seed: number): (below: number) => number {
  const generator = xoroshiro128plus(seed)
  return (below) => (generator.next() >>> 0) % below
}

/** A picture without a block of one colour. */
const pixels = (() => {
  const random = seeded(15)
  return Buffer.from(
    Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => {
      const [x, y, channel] = [Math.floor(i / 3) % WIDTH, Math.floor(i / 3 / WIDTH), i % 3]
      return 128 + Math.round(85 * Math.sin(x / 7 + channel) * Math.cos(y / 9 - channel)) + random(30) - 15
    })
  )
})()
const picture = () => sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
const twoFrames = () =>
  sharp(Buffer.concat([pixels, pixels]), {
    raw: { width: WIDTH, height: 2 * HEIGHT, channels: 3, pageHeight: HEIGHT }
  })

/** Turns a little endian TIFF of one strip, one directory and 8-bit samples into a big endian one. */
function bigEndian(tiff: Buffer): Buffer {
  const out = Buffer.from(tiff)
  const at = tiff.readUInt32LE(4)
  out.write('MM\0*', 0, 'latin1')
  out.writeUInt32BE(at, 4)
  const entries = tiff.readUInt16LE(at)
  out.writeUInt16BE(entries, at)
  for (let entry = at + 2; entry < at + 2 + entries * 12; entry += 12) {
    const [type, count] = [tiff.readUInt16LE(entry + 2), tiff.readUInt32LE(entry + 4)]
    const bytes = [0, 1, 1, 2, 4, 4][type] ?? 1
    const values = type === 5 ? count * 2 : count
    const from = bytes * values <= 4 ? entry + 8 : tiff.readUInt32LE(entry + 8)
    out.writeUInt16BE(tiff.readUInt16LE(entry), entry)
    out.writeUInt16BE(type, entry + 2)
    out.writeUInt32BE(count, entry + 4)
    if (from !== entry + 8) out.writeUInt32BE(from, entry + 8)
    for (let i = 0; i < values; i++) {
      if (bytes === 2) out.writeUInt16BE(tiff.readUInt16LE(from + i * 2), from + i * 2)
      if (bytes === 4) out.writeUInt32BE(tiff.readUInt32LE(from + i * 4), from + i * 4)
    }
  }
  return out
}

async function corpus(): Promise<Record<string, Buffer>> {
  const files: Record<string, Sharp> = {
    jpeg: picture().jpeg(),
    'progressive jpeg': picture().jpeg({ progressive: true }),
    png: picture().png(),
    'interlaced png': picture().png({ progressive: true }),
    'palette png': picture().png({ palette: true }),
    webp: picture().webp(),
    'lossless webp': picture().webp({ lossless: true }),
    'transparent webp': picture().ensureAlpha(0.5).webp(),
    'animated webp': twoFrames().webp(),
    gif: picture().gif(),
    'animated gif': twoFrames().gif(),
    avif: picture().avif({ effort: 0 })
  }
  // zstd is not built in.
  for (const compression of ['none', 'lzw', 'deflate', 'packbits', 'jpeg', 'webp'] as const) {
    files[`${compression} tiff`] = picture().tiff({ compression })
    files[`tiled ${compression} tiff`] = picture().tiff({
      compression,
      tile: true,
      tileWidth: 32,
      tileHeight: 32
    })
    files[`big ${compression} tiff`] = picture().tiff({ compression, bigtiff: true })
  }
  files['paged tiff'] = twoFrames().tiff({ compression: 'deflate' })
  const made = await Promise.all(
    Object.entries(files).map(async ([name, file]) => [name, await file.toBuffer()] as const)
  )
  const all = Object.fromEntries(made)
  return {
    ...all,
    'big endian tiff': bigEndian(all['none tiff']),
    'big endian lzw tiff': bigEndian(all['lzw tiff'])
  }
}

interface Outcome {
  code?: string
  data?: Uint8Array
}

async function outcome(bytes: Uint8Array): Promise<Outcome> {
  return decodeImage(bytes, limits).then(
    ({ data }) => ({ data }),
    ({ code }) => ({ code })
  )
}

/** Blocks that are all black, or all of the middle grey of JPEG, which decoders fill up with. */
function fillerBlocks(data: Uint8Array): number {
  let found = 0
  for (let top = 0; top < HEIGHT; top += BLOCK) {
    for (let left = 0; left < WIDTH; left += BLOCK) {
      const first = data[(top * WIDTH + left) * 3]
      const rows = Array.from({ length: BLOCK }, (_, y) =>
        data.subarray(((top + y) * WIDTH + left) * 3, ((top + y) * WIDTH + left + BLOCK) * 3)
      )
      if ((first === 0 || first === 128) && rows.every((row) => row.every((value) => value === first)))
        found++
    }
  }
  return found
}

t.test('a picture cut anywhere is rejected, or is the whole picture', async (t) => {
  const bad: string[] = []
  for (const [name, bytes] of Object.entries(await corpus())) {
    const { data: whole, code } = await outcome(bytes)
    if (!whole) {
      bad.push(`${name}: ${code}`)
      continue
    }
    const ends = [
      ...Array.from({ length: 40 }, (_, i) => Math.floor((bytes.length * (i + 1)) / 41)),
      4,
      8,
      12,
      bytes.length - 1,
      bytes.length - 9
    ]
    for (const end of ends) {
      const cut = await outcome(bytes.subarray(0, end))
      const isRefused = cut.code === 'IMAGE_INVALID' || (cut.code === 'IMAGE_UNSUPPORTED' && end < 16)
      if (!isRefused && !(cut.data && Buffer.compare(cut.data, whole) === 0))
        bad.push(`${name} cut at ${end} of ${bytes.length}: ${cut.code ?? 'other pixels'}`)
    }
  }
  t.same(bad, [])
})

t.test(
  'damage inside is rejected where the format can tell, and never filled up with black or grey',
  async (t) => {
    const random = seeded(3)
    const bad: string[] = []
    const checksummed = ['png', 'interlaced png', 'palette png', 'avif']
    for (const [name, bytes] of Object.entries(await corpus())) {
      // libvips decodes JPEG in tiles by itself, and does not say what libjpeg warned of.
      if (name === 'tiled jpeg tiff') continue
      const whole = (await outcome(bytes)).data!
      for (let i = 0; i < 40; i++) {
        const damaged = Buffer.from(bytes)
        const from = Math.floor(bytes.length / 4)
        const at = from + random(bytes.length >> 1)
        damaged[at] ^= 1 + random(255)
        const { data, code } = await outcome(damaged)
        if (!data) {
          if (code !== 'IMAGE_INVALID') bad.push(`${name} changed at ${at}: ${code}`)
        } else if (data.length === whole.length && fillerBlocks(data) > fillerBlocks(whole))
          bad.push(`${name} changed at ${at}: filled up`)
        else if (checksummed.includes(name) && Buffer.compare(data, whole) !== 0)
          bad.push(`${name} changed at ${at}: other pixels`)
      }
    }
    t.same(bad, [])
  }
)

t.test('damage in the first bytes gets an answer of its own, and crashes nothing', async (t) => {
  const random = seeded(4)
  const codes = new Set<string | undefined>()
  for (const bytes of Object.values(await corpus())) {
    for (let i = 0; i < 12; i++) {
      const damaged = Buffer.from(bytes)
      damaged[random(64)] ^= 1 + random(255)
      codes.add((await outcome(damaged)).code)
    }
  }
  t.same(
    [...codes].filter(
      (code) => code && !['IMAGE_INVALID', 'IMAGE_UNSUPPORTED', 'IMAGE_TOO_LARGE'].includes(code)
    ),
    []
  )
})

t.test('TIFFs that were indexed as black pictures are rejected, by thumbnails too', async (t) => {
  t.match(await decodeImage(await tiffFile('good-deflate'), limits), { width: 48, height: 40 })
  for (const name of ['zstd-tag', 'raw-half', 'packbits-cut']) {
    await t.rejects(decodeImage(await tiffFile(name), limits), { code: 'IMAGE_INVALID' }, name)
    await t.rejects(decodeWithAlpha(await tiffFile(name), limits), { code: 'IMAGE_INVALID' }, name)
  }
})

t.test(
  'what cameras and editors write besides the pixels does not make a picture a damaged one',
  async (t) => {
    const jpeg = await picture().jpeg().toBuffer()
    const plain = (await outcome(jpeg)).data!
    const scan = jpeg.indexOf(Buffer.from([0xff, 0xda]))
    const inserted = (at: number, ...bytes: number[]) =>
      Buffer.concat([jpeg.subarray(0, at), Buffer.from(bytes), jpeg.subarray(at)])
    const withoutSpectrum = Buffer.from(jpeg)
    withoutSpectrum[scan + 5 + 2 * jpeg[scan + 4] + 1] = 0
    const jpegs: Record<string, Buffer> = {
      'bytes between segments': inserted(scan, 1, 2, 3),
      'padding before the end': inserted(jpeg.length - 2, 0, 0, 0, 0),
      'bytes behind the end': inserted(jpeg.length, 7, 7, 7),
      'SOS parameters of no sense': withoutSpectrum,
      'an Adobe transform that is not known': inserted(
        2,
        0xff,
        0xee,
        0,
        14,
        ...Buffer.from('Adobe'),
        0,
        100,
        0,
        0,
        0,
        0,
        9
      )
    }
    for (const [name, bytes] of Object.entries(jpegs)) t.same((await outcome(bytes)).data, plain, name)

    for (const tile of [false, true]) {
      const tiff = await picture()
        .tiff({ compression: 'deflate', tile, tileWidth: 32, tileHeight: 32 })
        .toBuffer()
      const unit = Buffer.from(tiff)
      const at = tiff.readUInt32LE(4)
      const entries = Array.from({ length: tiff.readUInt16LE(at) }, (_, i) => at + 2 + i * 12)
      const resolutionUnit = entries.find((entry) => tiff.readUInt16LE(entry) === 296)!
      unit.writeUInt16LE(77, resolutionUnit + 8)
      const unsorted = Buffer.from(tiff)
      unsorted.set(tiff.subarray(resolutionUnit, resolutionUnit + 12), entries[0])
      unsorted.set(tiff.subarray(entries[0], entries[0] + 12), resolutionUnit)
      t.same(
        (await outcome(unit)).data,
        (await outcome(tiff)).data,
        `a resolution unit that is not known, ${tile ? 'tiles' : 'strips'}`
      )
      t.same(
        (await outcome(unsorted)).data,
        (await outcome(tiff)).data,
        `tags out of order, ${tile ? 'tiles' : 'strips'}`
      )
    }
  }
)

t.test('colours and samples of TIFF are those that Pillow reads', async (t) => {
  const { probes, pixels: expected } = JSON.parse(
    await readFile(new URL('expected.json', tiffFolder), 'utf8')
  ) as { probes: [number, number][]; pixels: Record<string, number[][]> }
  const probe = async (name: string) => {
    const { data, width } = await decodeImage(await tiffFile(name), limits)
    return probes.map(([x, y]) => [...data.subarray((y * width + x) * 3, (y * width + x + 1) * 3)])
  }
  const distance = (a: number[][], b: number[][]) =>
    Math.max(...a.flat().map((value, i) => Math.abs(value - b.flat()[i])))
  for (const [name, values] of Object.entries(expected)) {
    const read = await probe(name)
    t.ok(distance(read, values) <= 1, `${name}: ${JSON.stringify(read)}`)
  }
  for (const [name, like] of [
    ['lab16', 'lab8'],
    ['icclab8', 'lab8'],
    ['cmyka8', 'cmyk8']
  ])
    t.ok(distance(await probe(name), expected[like]) <= 1, name)
  t.same(await probe('grey32-float'), [
    [17, 17, 17],
    [85, 85, 85],
    [204, 204, 204]
  ])
  await t.rejects(probe('grey32'), {
    code: 'IMAGE_INVALID',
    message: /32-bit integer samples; send 8 or 16 bits/
  })
  await t.rejects(probe('ycbcr8'), {
    code: 'IMAGE_INVALID',
    message: /YCbCr samples that are not compressed as JPEG; send it as RGB/
  })
})

t.test("a TIFF's directory is read in either order, and not behind the end", async (t) => {
  const files = await corpus()
  for (const name of ['none tiff', 'big endian tiff', 'big none tiff']) {
    t.same(readTiffDirectory(files[name])?.numbers(TAGS.photometric), [2], name)
    t.same(readTiffDirectory(files[name])?.numbers(258), [8, 8, 8], name)
    const copy = readTiffDirectory(files[name])!.pixelTagsOnly({ [TAGS.photometric]: 1 })
    t.same(readTiffDirectory(copy)?.numbers(TAGS.photometric), [1], `${name}, changed`)
    t.same(readTiffDirectory(copy)?.numbers(296), [], 'a unit is no matter of pixels')
    t.equal(readTiffDirectory(files[name].subarray(0, 100)), undefined, `${name}, cut`)
  }
  const elsewhere = Uint8Array.from(files['none tiff'])
  const view = new DataView(elsewhere.buffer)
  const directory = view.getUint32(4, true)
  for (let entry = directory + 2; ; entry += 12)
    if (view.getUint16(entry, true) === 258) {
      view.setUint32(entry + 8, elsewhere.length - 4, true)
      break
    }
  t.same(readTiffDirectory(elsewhere)?.numbers(258), [], 'values behind the end are missing')
})
