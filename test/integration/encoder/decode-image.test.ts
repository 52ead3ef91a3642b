import sharp from 'sharp'
import t from 'tap'
import { decodeImage, decodeWithAlpha } from '../../../src/encoder/decode-image.js'
import { countScans } from '../../../src/encoder/jpeg-scans.js'
import { sniffImage } from '../../../src/encoder/sniff-image.js'
import { golden, heic, pngBomb, solid, svg } from '../../fixtures/images.js'

const limits = { maxPixels: 64e6 }
// decode-image.ts blocks loaders for its whole process; these fixtures are made by encoders, which stay.
const red = () => sharp({ create: { width: 20, height: 10, channels: 3, background: '#ff0000' } })
const firstPixel = async (bytes: Uint8Array) => [...(await decodeImage(bytes, limits)).data.subarray(0, 3)]

t.test('every kind of image that is listed decodes to upright 8-bit RGB', async (t) => {
  const files: [string, Buffer, string][] = [
    ['jpeg', await red().jpeg().toBuffer(), 'image/jpeg'],
    ['png', await red().png().toBuffer(), 'image/png'],
    ['palette png', await red().png({ palette: true }).toBuffer(), 'image/png'],
    ['16-bit png', await red().toColourspace('rgb16').png().toBuffer(), 'image/png'],
    ['webp', await red().webp().toBuffer(), 'image/webp'],
    ['gif', await red().gif().toBuffer(), 'image/gif'],
    ['tiff', await red().tiff().toBuffer(), 'image/tiff'],
    ['16-bit tiff', await red().toColourspace('rgb16').tiff().toBuffer(), 'image/tiff'],
    ['avif', await red().avif().toBuffer(), 'image/avif']
  ]
  for (const [name, bytes, type] of files) {
    t.equal(await sniffImage(bytes), type, name)
    const { width, height, data } = await decodeImage(bytes, limits)
    t.match({ width, height, length: data.length }, { width: 20, height: 10, length: 600 }, name)
    const [r, g, b] = data
    t.ok(r > 245 && g < 10 && b < 10, `${name} is red: ${r} ${g} ${b}`)
  }
})

t.test('greyscale becomes RGB, of 8 and 16 bits', async (t) => {
  const grey = () => sharp({ create: { width: 4, height: 4, channels: 3, background: '#808080' } })
  t.same(await firstPixel(await grey().toColourspace('b-w').png().toBuffer()), [128, 128, 128])
  const [value] = await firstPixel(await grey().toColourspace('grey16').png().toBuffer())
  t.ok(Math.abs(value - 128) <= 1, `16-bit grey is ${value}`)
})

t.test('alpha is laid on white', async (t) => {
  const half = { r: 255, g: 0, b: 0, alpha: 0.5 }
  const bytes = await sharp({ create: { width: 4, height: 4, channels: 4, background: half } })
    .png()
    .toBuffer()
  const [r, g, b] = await firstPixel(bytes)
  t.ok(r === 255 && Math.abs(g - 127) <= 1 && Math.abs(b - 127) <= 1, `${r} ${g} ${b}`)
  const clear = await sharp({
    create: { width: 4, height: 4, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } }
  })
    .webp({ lossless: true })
    .toBuffer()
  t.same(await firstPixel(clear), [255, 255, 255])
})

t.test('alpha is left where it is wanted, without other guards than any image has', async (t) => {
  const half = sharp({
    create: { width: 8, height: 4, channels: 4, background: { r: 255, g: 0, b: 0, alpha: 0.5 } }
  })
  const bytes = await half.png().toBuffer()
  const { data, ...size } = await decodeWithAlpha(bytes, limits)
  t.same(size, { width: 8, height: 4, channels: 4 })
  t.same([...data.subarray(0, 4)], [255, 0, 0, 128])
  const grey = await half.clone().toColourspace('b-w').png().toBuffer()
  const channelsOf = async (image: Buffer) => (await decodeWithAlpha(image, limits)).channels
  t.equal(await channelsOf(grey), 4, 'of grey too')
  t.equal(await channelsOf(await red().jpeg().toBuffer()), 3, 'opaque')
  let reserved = 0
  await decodeWithAlpha(bytes, { ...limits, reserve: (taken) => (reserved = taken) })
  t.equal(reserved, 8 * 4 * (4 + 4), 'its samples, and those of the result')
  await t.rejects(decodeWithAlpha(bytes, { maxPixels: 31 }), { code: 'IMAGE_TOO_LARGE' })
  await t.rejects(decodeWithAlpha(svg, limits), { code: 'IMAGE_UNSUPPORTED' })
})

t.test('of an animation the first frame is taken', async (t) => {
  const frames = Buffer.concat([
    Buffer.alloc(300, Buffer.of(255, 0, 0)),
    Buffer.alloc(300, Buffer.of(0, 0, 255))
  ])
  const animated = (format: 'gif' | 'webp') =>
    sharp(frames, { raw: { width: 10, height: 20, channels: 3, pageHeight: 10 } })
      [format]()
      .toBuffer()
  for (const format of ['gif', 'webp'] as const) {
    const { height, data } = await decodeImage(await animated(format), limits)
    t.equal(height, 10, format)
    t.ok(data[0] > 245 && data[2] < 10, `${format} shows red`)
  }
})

t.test('EXIF orientation is applied, an ICC profile converted to sRGB', async (t) => {
  const upright = await decodeImage(await golden('exif6.jpg'), limits)
  t.match(upright, { width: 250, height: 400 })
  const plain = await solid('#40c040')
  const p3 = await sharp(plain).withIccProfile('p3').png().toBuffer()
  const pixel = await firstPixel(p3)
  t.ok(
    pixel.every((value, i) => Math.abs(value - [0x40, 0xc0, 0x40][i]) <= 3),
    `P3 comes back as sRGB: ${pixel}`
  )
})

t.test('what is no image, or none that is decoded, gets its own answer', async (t) => {
  const jpeg = await sharp(await solid('#123456', { width: 300, height: 300 }))
    .jpeg()
    .toBuffer()
  const cases: [string, Uint8Array, { code: string; statusCode?: number; message?: RegExp }][] = [
    ['an empty file', Buffer.alloc(0), { code: 'IMAGE_INVALID', statusCode: 422, message: /empty/ }],
    [
      'a text',
      Buffer.from('hello, I am a text called photo.jpg'),
      { code: 'IMAGE_UNSUPPORTED', statusCode: 415 }
    ],
    ['SVG', svg, { code: 'IMAGE_UNSUPPORTED', statusCode: 415 }],
    ['HEIC', heic, { code: 'IMAGE_UNSUPPORTED', statusCode: 415, message: /heic/ }],
    ['PDF', Buffer.from('%PDF-1.7\n%âãÏÓ\n1 0 obj'), { code: 'IMAGE_UNSUPPORTED', message: /pdf/ }],
    ['a truncated JPEG', jpeg.subarray(0, jpeg.length >> 1), { code: 'IMAGE_INVALID', statusCode: 422 }],
    [
      'a JPEG of which only the head is there',
      jpeg.subarray(0, 40),
      { code: 'IMAGE_INVALID', statusCode: 422 }
    ],
    ['a truncated PNG', (await solid('#123456')).subarray(0, 60), { code: 'IMAGE_INVALID', statusCode: 422 }],
    ['30,000 x 30,000 pixels', pngBomb(30_000, 30_000), { code: 'IMAGE_TOO_LARGE', statusCode: 413 }]
  ]
  for (const [name, bytes, error] of cases)
    await t.rejects(decodeImage(bytes, limits), error as Error & typeof error, name)
})

t.test('an error message is one short line that names no file or library call', async (t) => {
  const jpeg = (await golden('portrait.jpg')).subarray(0, 9000)
  const error = await decodeImage(jpeg, limits).then(
    () => undefined,
    (thrown: Error) => thrown
  )
  t.ok(error && !error.message.includes('\n') && error.message.length < 250, String(error))
})

t.test(
  'a JPEG of far more pixels than needed is shrunk, upright, to three times the needed at least',
  async (t) => {
    const jpeg = (width: number, height: number, orientation = 1) =>
      sharp({ create: { width, height, channels: 3, background: '#00ff00' } })
        .jpeg()
        .withMetadata({ orientation })
        .toBuffer()
    const needed = { width: 100, height: 100 }
    const sizeOf = async (bytes: Buffer) => {
      const { width, height, data } = await decodeImage(bytes, limits, needed)
      t.equal(data.length, width * height * 3)
      return [width, height]
    }
    t.same(await sizeOf(await jpeg(1600, 1201)), [400, 300])
    t.same(await sizeOf(await jpeg(1600, 1201, 6)), [300, 400], 'turned by EXIF')
    t.same(await sizeOf(await jpeg(890, 890)), [890, 890], 'not worth it')
    const png = await sharp({ create: { width: 1600, height: 1200, channels: 3, background: '#00ff00' } })
      .png()
      .toBuffer()
    t.same(await sizeOf(png), [1600, 1200], 'a PNG has to be decoded whole')
  }
)

t.test('a side longer than any JPEG has is rejected', async (t) => {
  await t.rejects(decodeImage(pngBomb(70_000, 2), limits), {
    code: 'IMAGE_TOO_LARGE',
    message: /70000 x 2 pixels; at most 65535 are allowed on a side/
  })
})

t.test(
  'a JPEG of more scans than any encoder makes is rejected unread: each walks over the whole picture',
  async (t) => {
    const noise = () =>
      sharp({
        create: {
          width: 64,
          height: 64,
          channels: 3,
          background: '#000',
          noise: { type: 'gaussian', mean: 128, sigma: 40 }
        }
      })
    const [baseline, progressive] = [
      await noise().jpeg().toBuffer(),
      await noise()
        .jpeg({ progressive: true })
        .withExif({ IFD0: { Copyright: '\xff\xda'.repeat(200) } })
        .toBuffer()
    ]
    t.equal(countScans(baseline), 1)
    const scans = countScans(progressive)
    t.ok(scans > 5 && scans < 20, `a progressive one has ${scans}, and none in its metadata`)
    t.match(await decodeImage(progressive, limits), { width: 64 })
    const last = progressive.lastIndexOf(Buffer.from([0xff, 0xda]))
    const scan = progressive.subarray(last, -2)
    const bomb = Buffer.concat([
      progressive.subarray(0, -2),
      ...Array.from({ length: 60 }, () => scan),
      progressive.subarray(-2)
    ])
    t.equal(countScans(bomb), scans + 60)
    t.equal(countScans(Buffer.concat([progressive, bomb])), scans, 'what is behind its end is not read')
    await t.rejects(decodeImage(bomb, limits), { code: 'IMAGE_INVALID', message: /more than 64 scans/ })
    for (let end = 0; end < progressive.length; end += 7)
      t.ok(countScans(progressive.subarray(0, end)) <= scans, 'truncated anywhere')
  }
)
