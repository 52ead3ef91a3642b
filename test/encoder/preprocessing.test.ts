import t from 'tap'
import { writePixelValues } from '../../src/encoder/preprocess.js'
import { parsePreprocessing } from '../../src/encoder/preprocessing.js'

t.test('the forms that image processors are configured in', async (t) => {
  t.match(parsePreprocessing({ size: { shortest_edge: 224 }, crop_size: { height: 224, width: 200 } }), { resize: { mode: 'shortest', size: 224 }, crop: { width: 200, height: 224 }, filter: 'bicubic' })
  t.match(parsePreprocessing({ size: 336, crop_size: 300 }), { resize: { mode: 'shortest', size: 336 }, crop: { width: 300, height: 300 } })
  t.match(parsePreprocessing({ size: { height: 256, width: 192 }, resample: 2 }), { resize: { mode: 'squash', width: 192, height: 256 }, crop: { width: 192, height: 256 }, filter: 'bilinear' })
  t.match(parsePreprocessing({ size: 8, resample: 1 }), { filter: 'lanczos' })
  t.match(parsePreprocessing({ size: 8, resample: 0 }), { filter: 'nearest' })
})

t.test('what is not supported is refused', async (t) => {
  t.throws(() => parsePreprocessing({ size: 8, resample: 4 }), /resample 4/)
  t.throws(() => parsePreprocessing({}), /size/)
  t.throws(() => parsePreprocessing({ size: 8, do_center_crop: false }), /crop/)
})

t.test('pixels become channel planes, rescaled and normalised as configured', async (t) => {
  const pixels = Uint8Array.of(0, 128, 255, 255, 0, 51)
  const values = (config: object) => {
    const target = new Float32Array(6)
    writePixelValues(pixels, parsePreprocessing({ size: 8, ...config }), target)
    return [...target].map((value) => Math.round(value * 1000) / 1000)
  }
  t.same(values({ image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] }), [-1, 1, 0.004, -1, 1, -0.6])
  t.same(values({ do_normalize: false }), [0, 1, 0.502, 0, 1, 0.2])
  t.same(values({ do_normalize: false, do_rescale: false }), [0, 255, 128, 0, 255, 51])
  t.same(values({ do_normalize: false, rescale_factor: 1 / 127.5 }), [0, 2, 1.004, 0, 2, 0.4])
  t.same(values({ image_mean: [0, 0.5, 1], image_std: [1, 0.25, 0.5] }), [0, 1, 0.008, -2, 0, -1.6])
})
