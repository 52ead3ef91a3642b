import t from 'tap'
import {
  parseOpenClipPreprocessing,
  parsePreprocessing,
  type Preprocessing
} from '../../../src/encoder/preprocessing.js'
import { pixelValues } from '../../../src/encoder/tensors.js'

t.test('the forms that image processors are configured in', async (t) => {
  t.match(parsePreprocessing({ size: { shortest_edge: 224 }, crop_size: { height: 224, width: 200 } }), {
    resize: { mode: 'shortest', size: 224 },
    crop: { width: 200, height: 224 },
    filter: 'bicubic'
  })
  t.match(parsePreprocessing({ size: 336, crop_size: 300 }), {
    resize: { mode: 'shortest', size: 336 },
    crop: { width: 300, height: 300 }
  })
  t.match(parsePreprocessing({ size: { height: 256, width: 192 }, resample: 2 }), {
    resize: { mode: 'squash', width: 192, height: 256 },
    crop: { width: 192, height: 256 },
    filter: 'bilinear'
  })
  t.match(parsePreprocessing({ size: 8, resample: 1 }), { filter: 'lanczos' })
  t.match(parsePreprocessing({ size: 8, resample: 0 }), { filter: 'nearest' })
})

t.test('what a configuration leaves out is as its processor has it', async (t) => {
  const clip = parsePreprocessing({ size: 8 })
  t.match(clip, {
    resize: { mode: 'shortest' },
    filter: 'bicubic',
    cropOffset: 'floor',
    mean: [0.48145466, 0.4578275, 0.40821073]
  })
  t.match(parsePreprocessing({ image_processor_type: 'SiglipImageProcessor', size: 8 }), {
    resize: { mode: 'squash', width: 8 },
    filter: 'bicubic',
    mean: [0.5, 0.5, 0.5],
    std: [0.5, 0.5, 0.5]
  })
  t.match(parsePreprocessing({ feature_extractor_type: 'ViTFeatureExtractor', size: 8 }), {
    resize: { mode: 'squash', width: 8 },
    filter: 'bilinear'
  })
})

t.test("OpenCLIP's configurations", async (t) => {
  t.match(
    parseOpenClipPreprocessing(
      { size: [8, 8], mean: [0, 0, 0], std: [1, 1, 1], interpolation: 'bilinear', resize_mode: 'shortest' },
      'round'
    ),
    {
      resize: { mode: 'shortest', size: 8 },
      crop: { width: 8, height: 8 },
      filter: 'bilinear',
      cropOffset: 'round'
    }
  )
  t.match(parseOpenClipPreprocessing({ size: [9, 8], mean: 0.5, std: 0.5, resize_mode: 'squash' }, 'floor'), {
    resize: { mode: 'squash', width: 8, height: 9 },
    mean: [0.5, 0.5, 0.5],
    cropOffset: 'floor'
  })
  t.match(
    parsePreprocessing({
      size: 8,
      mean: [0, 0, 0],
      std: [1, 1, 1],
      interpolation: 'bicubic',
      resize_mode: 'shortest'
    }),
    { resize: { mode: 'shortest', size: 8 }, mean: [0, 0, 0] },
    "jina-clip's file of Hugging Face's name"
  )
})

t.test('what is not supported is rejected', async (t) => {
  t.throws(() => parsePreprocessing({ size: 8, resample: 4 }), /resample 4/)
  t.throws(() => parsePreprocessing({}), /size/)
  t.throws(() => parsePreprocessing({ size: 8, do_center_crop: false }), /crop/)
  t.throws(() => parsePreprocessing({ size: 8, crop_size: 9 }), /crop of 9x9 is larger/)
  t.throws(() => parsePreprocessing({ size: 8, do_resize: false }), /do_resize/)
  t.throws(() => parsePreprocessing({ image_processor_type: 'Siglip2ImageProcessor', size: 8 }), /NaFlex/)
  t.throws(() => parseOpenClipPreprocessing({ size: 8, resize_mode: 'longest' }, 'round'), /longest/)
  t.throws(() => parseOpenClipPreprocessing({ size: [8, 9], resize_mode: 'shortest' }, 'round'), /9x8/)
  t.throws(() => parseOpenClipPreprocessing({ size: 8, interpolation: 'area' }, 'round'), /area/)
})

t.test('pixels become channel planes, rescaled and normalised as configured', async (t) => {
  const pixels = Uint8Array.of(0, 128, 255, 255, 0, 51)
  const input = (type: string) => ({ name: 'pixel_values', type, shape: [] })
  const preprocessing = (config: object): Preprocessing => ({
    ...parsePreprocessing({ size: 8, ...config }),
    crop: { width: 2, height: 1 }
  })
  const values = (config: object) => {
    const { data, shape } = pixelValues([pixels], input('float32'), {
      rows: 1,
      preprocessing: preprocessing(config)
    })
    t.same(shape, [1, 3, 1, 2])
    return [...data].map((value) => Math.round(Number(value) * 1000) / 1000)
  }
  t.same(values({ image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] }), [-1, 1, 0.004, -1, 1, -0.6])
  t.same(values({ do_normalize: false }), [0, 1, 0.502, 0, 1, 0.2])
  t.same(values({ do_normalize: false, do_rescale: false }), [0, 255, 128, 0, 255, 51])
  t.same(values({ do_normalize: false, rescale_factor: 1 / 127.5 }), [0, 2, 1.004, 0, 2, 0.4])
  t.same(values({ image_mean: [0, 0.5, 1], image_std: [1, 0.25, 0.5] }), [0, 1, 0.008, -2, 0, -1.6])
  const options = { rows: 2, preprocessing: preprocessing({ do_normalize: false }) }
  const halves = pixelValues([pixels], input('float16'), options)
  t.same(
    [...halves.data].slice(0, 6),
    [0, 0x3c00, 0x3804, 0, 0x3c00, 0x3266],
    'bits of 0, 1, 0.502, 0.2 in half precision'
  )
  t.same([halves.data.length, halves.shape], [12, [2, 3, 1, 2]], 'the rows that a graph insists on')
  t.match(pixelValues([pixels], input('uint8'), options), {
    data: Uint8Array.of(...pixels, 0, 0, 0, 0, 0, 0),
    shape: [2, 1, 2, 3]
  })
  t.throws(() => pixelValues([pixels], input('bool'), options), /bool/)
})
