import { readFile } from 'node:fs/promises'
import sharp from 'sharp'
import t from 'tap'
import { corrupt } from '../../../src/evaluation/run/corruptions.js'
import type { Corruption } from '../../../src/evaluation/embedding/embedder.js'
import { pngBomb } from '../../fixtures/images.js'

const limits = { maxPixels: 64e6 }

/** Pixels of an image as they are decoded. */
async function pixels(bytes: Uint8Array) {
  const { data, info } = await sharp(bytes)
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
  const at = (x: number, y: number) => [
    ...data.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3)
  ]
  return { data, at, width: info.width, height: info.height }
}

/** Left half black, right half white, twice as wide as high. */
async function halves(height: number): Promise<Buffer> {
  const black = await sharp({ create: { width: height, height, channels: 3, background: '#000' } })
    .png()
    .toBuffer()
  return sharp({ create: { width: 2 * height, height, channels: 3, background: '#fff' } })
    .composite([{ input: black, left: 0, top: 0 }])
    .png()
    .toBuffer()
}

const changed = async (bytes: Buffer, corruption: Corruption) =>
  pixels(await corrupt(bytes, corruption, limits))

t.test('jpeg: the worse the quality, the further from what it was', async (t) => {
  const bytes = await readFile('test/fixtures/towers/images/wide.png')
  const before = await pixels(bytes)
  const distance = async (quality: number) => {
    const { data } = await changed(bytes, { kind: 'jpeg', quality })
    return data.reduce((sum, value, i) => sum + Math.abs(value - before.data[i]), 0) / data.length
  }
  const [worst, bad, good] = [await distance(5), await distance(30), await distance(95)]
  t.ok(worst > bad && bad > good && good > 0, `${worst} > ${bad} > ${good} > 0`)
  t.match(await sharp(await corrupt(bytes, { kind: 'jpeg', quality: 30 }, limits)).metadata(), {
    format: 'jpeg',
    chromaSubsampling: '4:2:0'
  })
})

t.test('blur: sigma is in pixels where the shorter side has 224, and grows with the picture', async (t) => {
  for (const height of [224, 448]) {
    const { at, width } = await changed(await halves(height), { kind: 'blur', sigma: 4 })
    const middle = width / 2
    // A step that a Gaussian blurs is its cumulative distribution: 0.841 at one sigma from the edge.
    const sigma = (4 * height) / 224
    const [before, after] = [at(middle - sigma, height / 2)[0] / 255, at(middle + sigma, height / 2)[0] / 255]
    t.ok(Math.abs(after - 0.841) < 0.04, `${after} at one sigma of ${height}`)
    t.ok(Math.abs(before - 0.159) < 0.04, `${before} before the edge`)
    t.same(at(0, 0), [0, 0, 0])
  }
})

t.test('rotation: clockwise, nothing is cut, corners have the mean colour', async (t) => {
  const { at, width, height } = await changed(await halves(64), { kind: 'rotation', degrees: 30 })
  t.ok(width > 128 && height > 64, `${width} x ${height}`)
  t.ok(
    at(0, 0).every((value) => Math.abs(value - 128) <= 1),
    `corner ${at(0, 0)}`
  )
  const [x, y] = [width / 2, height / 2].map(Math.floor)
  // The boundary, upright before, leans to the right above the centre.
  const [up, right] = [20 * Math.cos(Math.PI / 6), 20 * Math.sin(Math.PI / 6)].map(Math.round)
  t.ok(at(x + right - 5, y - up)[0] < 60 && at(x + right + 5, y - up)[0] > 195, 'it turned clockwise')
  const quarter = await changed(await halves(64), { kind: 'rotation', degrees: 90 })
  t.same([quarter.width, quarter.height], [64, 128])
  t.same(
    [quarter.at(10, 10), quarter.at(10, 120)],
    [
      [0, 0, 0],
      [255, 255, 255]
    ],
    'the left half is above'
  )
})

t.test('grey: three equal channels of the luminance', async (t) => {
  const red = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#f00' } })
    .png()
    .toBuffer()
  const [r, g, b] = (await changed(red, { kind: 'grey' })).at(3, 3)
  t.ok(r === g && g === b && r > 40 && r < 140, `${r} ${g} ${b}`)
})

t.test('constant: mid-grey all over', async (t) => {
  const { data } = await changed(await halves(8), { kind: 'constant' })
  t.ok(data.every((value) => value === 128))
})

t.test('transparency lies on white, EXIF orientation is followed', async (t) => {
  const clear = await sharp({
    create: { width: 8, height: 8, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } }
  })
    .png()
    .toBuffer()
  t.same((await changed(clear, { kind: 'grey' })).at(0, 0), [255, 255, 255])
  const turned = await sharp(await halves(32))
    .jpeg()
    .withMetadata({ orientation: 6 })
    .toBuffer()
  const { width, height } = await changed(turned, { kind: 'grey' })
  t.same([width, height], [32, 64])
})

t.test('what the service refuses is not corrupted either', async (t) => {
  await t.rejects(corrupt(pngBomb(9000, 9000), { kind: 'grey' }, limits), { code: 'IMAGE_TOO_LARGE' })
  await t.rejects(
    corrupt(
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'),
      { kind: 'grey' },
      limits
    ),
    { code: 'IMAGE_UNSUPPORTED' }
  )
  await t.rejects(corrupt((await halves(64)).subarray(0, 100), { kind: 'blur', sigma: 1 }, limits), {
    code: 'IMAGE_INVALID'
  })
})
