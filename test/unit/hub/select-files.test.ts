import t from 'tap'
import { selectFiles, selectWeights } from '../../../src/hub/select-files.js'
import { layoutOf, settingsFiles } from '../../../src/packages/layouts.js'
import type { Variant } from '../../../src/packages/variants.js'
import { inSequence } from '../../fixtures/pattern.js'

const SETTINGS = ['config.json', 'preprocessor_config.json', 'tokenizer.json', 'tokenizer_config.json']
const IMMICH = [
  'config.json',
  'visual/preprocess_cfg.json',
  'textual/tokenizer.json',
  'textual/tokenizer_config.json'
]

const listed = (paths: string[]) =>
  paths.map((path) => ({ path, size: 1, checksum: { algorithm: 'git-sha1' as const, hex: '' } }))
const select = (paths: string[], ...variants: Variant[]) => {
  const { graphs, settings } = selectFiles(listed(paths), variants)
  return [...graphs, ...settings].map(({ path }) => path).sort()
}

t.test('Hugging Face: the towers of the variant, settings and cards', async (t) => {
  const towers = ['onnx/vision_model.onnx', 'onnx/text_model.onnx']
  const kept = [
    'special_tokens_map.json',
    'open_clip_config.json',
    'semblance.json',
    'golden.json',
    'golden/square.png',
    'README.md',
    'LICENSE',
    'LICENSE.txt',
    'LICENSE-weights.md'
  ]
  const others = [
    'onnx/vision_model_fp16.onnx',
    'onnx/vision_model_fp16.onnx_data',
    'onnx/text_model_fp16.onnx',
    'onnx/vision_model.onnx_data',
    'onnx/model.onnx',
    'model.safetensors',
    'vocab.json',
    '.gitattributes',
    'docs/README.md',
    'other/config.json',
    'LICENSES.zip',
    'tokenizer.json.bak'
  ]
  t.same(
    select([...SETTINGS, ...towers, ...kept, ...others], 'fp32'),
    [...SETTINGS, ...towers, ...kept].sort()
  )
})

t.test('a suffix is the whole of a variant: q4 does not bring q4f16', async (t) => {
  const towers = ['q4', 'q4f16', 'quantized', 'uint8', 'int8', 'bnb4', 'fp16'].flatMap((variant) => [
    `onnx/vision_model_${variant}.onnx`,
    `onnx/text_model_${variant}.onnx`
  ])
  for (const variant of ['q4', 'q4f16', 'quantized', 'uint8', 'int8', 'bnb4', 'fp16'] as const) {
    t.same(
      select([...SETTINGS, ...towers], variant),
      [...SETTINGS, `onnx/vision_model_${variant}.onnx`, `onnx/text_model_${variant}.onnx`].sort()
    )
  }
})

t.test('several variants come together', async (t) => {
  const towers = [
    'onnx/vision_model.onnx',
    'onnx/text_model.onnx',
    'onnx/vision_model_fp16.onnx',
    'onnx/text_model_fp16.onnx'
  ]
  t.same(
    select([...SETTINGS, ...towers, 'onnx/vision_model_q4.onnx'], 'fp32', 'fp16'),
    [...SETTINGS, ...towers].sort()
  )
})

t.test('Immich: visual and textual, variants by suffix or by folder', async (t) => {
  const paths = [
    ...IMMICH,
    'textual/special_tokens_map.json',
    'README.md',
    'visual/model.onnx',
    'textual/model.onnx',
    'visual/model_fp16.onnx',
    'textual/fp16/model.onnx',
    'textual/fp16/model.armnn',
    'textual/vocab.json'
  ]
  const settings = [...IMMICH, 'textual/special_tokens_map.json', 'README.md']
  t.same(select(paths, 'fp32'), [...settings, 'visual/model.onnx', 'textual/model.onnx'].sort())
  t.same(select(paths, 'fp16'), [...settings, 'visual/model_fp16.onnx', 'textual/fp16/model.onnx'].sort())
})

t.test('a variant that is not there: what each tower has instead', async (t) => {
  const paths = [...SETTINGS, 'onnx/vision_model.onnx', 'onnx/vision_model_q4.onnx', 'onnx/text_model.onnx']
  t.throws(() => select(paths, 'q4'), {
    message: 'The repository has no text tower in variant q4. It has image tower fp32, q4; text tower fp32.'
  })
  t.throws(() => select([...SETTINGS, 'onnx/text_model.onnx'], 'fp32'), {
    message:
      'The repository has only the text tower and no image tower; use a repository that has both. ' +
      'It has image tower none; text tower fp32.'
  })
})

t.test('no towers: what there is instead', async (t) => {
  t.throws(
    () => select([...SETTINGS, 'onnx/model.onnx', 'onnx/model_fp16.onnx', 'model.safetensors'], 'fp32'),
    inSequence(
      /it has onnx\/model.onnx, onnx\/model_fp16.onnx, which are one graph: /,
      /a model with a single tower, or both towers in one; use a repository/
    )
  )
  t.throws(
    () => select([...SETTINGS, 'model.safetensors', 'pytorch_model.bin'], 'fp32'),
    /no ONNX files, only model.safetensors, pytorch_model.bin; use a repository with an ONNX export/
  )
  t.throws(
    () => select(['onnx/encoder.onnx', 'a.onnx', 'b.onnx', 'c.onnx'], 'fp32'),
    /its ONNX files are onnx\/encoder.onnx, a.onnx, b.onnx and 1 more/
  )
  t.throws(() => select(['README.md'], 'fp32'), /no ONNX files among its 1 files/)
  t.throws(() => select([], 'fp32'), /it is empty/)
})

t.test(
  'settings that are needed are asked for before anything is downloaded; OpenCLIP has its own',
  async (t) => {
    const towers = ['onnx/vision_model.onnx', 'onnx/text_model.onnx']
    t.throws(
      () => select(['config.json', 'tokenizer.json', ...towers], 'fp32'),
      /lacks preprocessor_config.json, tokenizer_config.json/
    )
    const openClip = ['open_clip_config.json', 'tokenizer.json', 'tokenizer_config.json']
    t.same(select([...openClip, ...towers], 'fp32'), [...openClip, ...towers].sort())
    t.throws(
      () => select(['open_clip_config.json', 'tokenizer.json', ...towers], 'fp32'),
      /has towers, but lacks tokenizer_config.json, which they need/
    )
  }
)

t.test('what is pulled is loaded as the layout that it was pulled as, and is complete', async (t) => {
  const settings = [...new Set([...SETTINGS, ...IMMICH, 'open_clip_config.json'])]
  const places = [
    'onnx/vision_model onnx/text_model',
    'visual/model textual/model',
    'vision_model text_model'
  ]
  const wrong: string[] = []
  for (const place of places) {
    const towers = place.split(' ').map((stem) => `${stem}.onnx`)
    for (let subset = 0; subset < 2 ** settings.length; subset++) {
      const paths = [...towers, ...settings.filter((_, i) => subset & (1 << i))]
      const isComplete = (has: string[]) =>
        Object.values(settingsFiles(layoutOf(has), has)).every((path) => has.includes(path))
      try {
        if (!isComplete(select(paths, 'fp32'))) wrong.push(`${paths} is pulled and not loaded`)
      } catch {
        if (isComplete(paths)) wrong.push(`${paths} is loaded and not pulled`)
      }
    }
  }
  t.same(wrong, [])
})

t.test('towers in the root are taken, as they are loaded', async (t) => {
  t.same(
    select([...SETTINGS, 'vision_model.onnx', 'text_model.onnx', 'text_model_fp16.onnx'], 'fp32'),
    [...SETTINGS, 'text_model.onnx', 'vision_model.onnx'].sort()
  )
})

t.test('files of weights are those that the graph names', async (t) => {
  const files = listed(['textual/model.onnx', 'textual/tower.bias', 'textual/tower.weight', 'textual/other'])
  t.same(
    selectWeights(files, 'textual/model.onnx', ['textual/tower.bias']).map(({ path }) => path),
    ['textual/tower.bias']
  )
  t.throws(
    () => selectWeights(files, 'textual/model.onnx', ['textual/tower.bias', 'textual/gone']),
    /lacks textual\/gone, which holds weights of textual\/model.onnx/
  )
})
