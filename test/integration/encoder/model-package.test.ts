import { cp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { findModel, loadModelPackage } from '../../../src/encoder/model-package.js'
import { miniFolder } from '../../fixtures/mini.js'
import { inSequence } from '../../fixtures/pattern.js'

async function copyOfMini(t: { testdir(): string }): Promise<string> {
  const folder = join(t.testdir(), 'copy')
  await cp(miniFolder, folder, { recursive: true })
  return folder
}

t.test('the embedded model says what it is', async (t) => {
  const model = await loadModelPackage(miniFolder)
  t.match(model, {
    name: 'mini',
    family: 'clip',
    fingerprint: /^[0-9a-f]{64}$/,
    preprocessing: {
      resize: { mode: 'shortest', size: 224 },
      filter: 'bicubic',
      crop: { width: 224, height: 224 }
    },
    text: { maxTokens: 77, padsToMax: false },
    zeroShot: { activation: 'softmax', logitScale: 31.654 }
  })
})

t.test('the fingerprint stands for the contents, not the folder', async (t) => {
  const folder = await copyOfMini(t)
  const { fingerprint } = await loadModelPackage(miniFolder)
  t.equal((await loadModelPackage(folder)).fingerprint, fingerprint)
  for (const [file, content] of [
    ['semblance.json', '{"template":"an emoji of {label}"}'],
    ['preprocessor_config.json', '{"size":224,"resample":2}']
  ]) {
    await writeFile(join(folder, file), content)
    t.not((await loadModelPackage(folder)).fingerprint, fingerprint, `another ${file}`)
  }
})

t.test('semblance.json fills in what the other files leave out', async (t) => {
  const folder = await copyOfMini(t)
  await writeFile(
    join(folder, 'semblance.json'),
    JSON.stringify({ family: 'siglip', logit_scale: 117, logit_bias: -13, max_tokens: 64 })
  )
  t.match(await loadModelPackage(folder), {
    family: 'siglip',
    text: { maxTokens: 64, padsToMax: true },
    zeroShot: {
      activation: 'sigmoid',
      logitScale: 117,
      logitBias: -13,
      template: 'This is a photo of {label}.'
    }
  })
})

t.test('what is missing or wrong is named', async (t) => {
  const folder = await copyOfMini(t)
  await rm(join(folder, 'onnx/text_model.onnx'))
  await t.rejects(loadModelPackage(folder), /text_model\.onnx/)
  await writeFile(join(folder, 'config.json'), '{ not json')
  await t.rejects(loadModelPackage(folder), /config\.json/)
  await writeFile(join(folder, 'config.json'), '{"model_type":"bert"}')
  await t.rejects(loadModelPackage(folder), /bert/)
  await t.rejects(loadModelPackage('/nowhere'), /model package .*nowhere does not exist/)
})

t.test(
  'a model is a name under the folder of models or among the embedded ones, or a path; a variant may follow',
  async (t) => {
    const models = t.testdir({ Xenova: { clip: {} } })
    t.match(await findModel('Xenova/clip', models), {
      name: 'Xenova/clip',
      folder: join(models, 'Xenova/clip'),
      variant: undefined
    })
    t.match(await findModel('Xenova/clip:fp16', models), { name: 'Xenova/clip', variant: 'fp16' })
    t.match(await findModel('mini', models), { name: 'mini', folder: miniFolder })
    t.match(await findModel('/elsewhere/clip/', models), { name: 'clip', folder: '/elsewhere/clip' })
    t.match(await findModel('nowhere', models), { folder: join(models, 'nowhere') })
  }
)

t.test('a variant that is not there is rejected with those that are, for each tower', async (t) => {
  const folder = await copyOfMini(t)
  await cp(join(folder, 'onnx/vision_model.onnx'), join(folder, 'onnx/vision_model_fp16.onnx'))
  await t.rejects(
    loadModelPackage(folder, { variant: 'fp16' }),
    /no variant fp16 of the text tower.*image tower fp32, fp16; text tower fp32.*MODEL_VARIANT/
  )
  await t.rejects(loadModelPackage(folder, { variant: 'q4' }), /no variant q4 of its towers/)
  await t.rejects(loadModelPackage(folder, { variant: 'fp8' }), /no variant 'fp8'.*fp32, fp16/)
  const { fingerprint } = await loadModelPackage(folder)
  await cp(join(folder, 'onnx/text_model.onnx'), join(folder, 'onnx/text_model_fp16.onnx'))
  const half = await loadModelPackage(folder, { variant: 'fp16' })
  t.match(half, { variant: 'fp16', towers: { image: join(folder, 'onnx/vision_model_fp16.onnx') } })
  t.not(half.fingerprint, fingerprint)
})

t.test('a package without two towers says what it has', async (t) => {
  const folder = await copyOfMini(t)
  await rename(join(folder, 'onnx/text_model.onnx'), join(folder, 'onnx/model.onnx'))
  await t.rejects(loadModelPackage(folder), /lacks its text tower \(text_model\.onnx\).*image tower fp32/)
  await rm(join(folder, 'onnx/vision_model.onnx'))
  await t.rejects(
    loadModelPackage(folder),
    inSequence(
      /It has onnx\/model\.onnx, which is one graph: a model with a single tower, or both towers in one\. /,
      /Export the towers separately/
    )
  )
})

t.test(
  'families are told by a closed list of model types, which a refusal names with the way out',
  async (t) => {
    const folder = await copyOfMini(t)
    const configFile = join(folder, 'config.json')
    const config = JSON.parse(await readFile(configFile, 'utf8')) as object
    for (const [type, family] of [
      ['clip', 'clip'],
      ['jina_clip', 'clip'],
      ['mobileclip', 'clip'],
      ['siglip', 'siglip'],
      ['siglip2', 'siglip']
    ]) {
      await writeFile(configFile, JSON.stringify({ ...config, model_type: type }))
      t.match(await loadModelPackage(folder), { family }, type)
    }
    for (const type of [
      'fgclip2',
      'xclip',
      'altclip',
      'chinese_clip',
      'metaclip_2',
      'clipseg',
      'clap',
      'nomic_bert',
      'toString'
    ]) {
      await writeFile(configFile, JSON.stringify({ ...config, model_type: type }))
      const refused = new RegExp(
        `model_type '${type}' is not a known family; the families are ` +
          'clip \\(clip, jina_clip, mobileclip\\) and siglip .*set family in semblance.json'
      )
      await t.rejects(loadModelPackage(folder), refused, type)
    }
    const supplement = join(folder, 'semblance.json')
    await writeFile(supplement, '{"family":"siglip"}')
    t.match(await loadModelPackage(folder), { family: 'siglip' })
    await writeFile(supplement, '{"family":"blip"}')
    await t.rejects(
      loadModelPackage(folder),
      /semblance\.json: family must be one of clip, siglip, not "blip"/
    )
  }
)

t.test('image processors that use the same settings for other things are rejected by name', async (t) => {
  const folder = await copyOfMini(t)
  for (const type of ['Qwen2VLImageProcessor', 'BlipImageProcessor', 'VitMatteImageProcessor']) {
    await writeFile(
      join(folder, 'preprocessor_config.json'),
      JSON.stringify({ image_processor_type: type, size: { shortest_edge: 3136 } })
    )
    await t.rejects(loadModelPackage(folder), new RegExp(`image_processor_type '${type}' is not supported`))
  }
})
