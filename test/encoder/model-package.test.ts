import { cp, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { findModel, loadModelPackage } from '../../src/encoder/model-package.js'
import { miniFolder } from '../fixtures/mini.js'

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
    preprocessing: { resize: { mode: 'shortest', size: 224 }, filter: 'bicubic', crop: { width: 224, height: 224 } },
    text: { maxTokens: 77, padsToMax: false },
    zeroShot: { activation: 'softmax', logitScale: 24.2633 }
  })
})

t.test('the fingerprint stands for the contents, not the folder', async (t) => {
  const folder = await copyOfMini(t)
  const { fingerprint } = await loadModelPackage(miniFolder)
  t.equal((await loadModelPackage(folder)).fingerprint, fingerprint)
  for (const [file, content] of [['semblance.json', '{"template":"an emoji of {label}"}'], ['preprocessor_config.json', '{"size":224,"resample":2}']]) {
    await writeFile(join(folder, file), content)
    t.not((await loadModelPackage(folder)).fingerprint, fingerprint, `another ${file}`)
  }
})

t.test('semblance.json fills in what the other files leave out', async (t) => {
  const folder = await copyOfMini(t)
  await writeFile(join(folder, 'semblance.json'), JSON.stringify({ family: 'siglip', logit_scale: 117, logit_bias: -13, max_tokens: 64 }))
  t.match(await loadModelPackage(folder), {
    family: 'siglip',
    text: { maxTokens: 64, padsToMax: true },
    zeroShot: { activation: 'sigmoid', logitScale: 117, logitBias: -13, template: 'This is a photo of {label}.' }
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
  await t.rejects(loadModelPackage('/nowhere'), /no model package .nowhere/)
})

t.test('a model is a name under the folder of models or among the embedded ones, or a path; a variant may follow', async (t) => {
  const models = t.testdir({ Xenova: { clip: {} } })
  t.match(await findModel('Xenova/clip', models), { name: 'Xenova/clip', folder: join(models, 'Xenova/clip'), variant: undefined })
  t.match(await findModel('Xenova/clip:fp16', models), { name: 'Xenova/clip', variant: 'fp16' })
  t.match(await findModel('mini', models), { name: 'mini', folder: miniFolder })
  t.match(await findModel('/elsewhere/clip/', models), { name: 'clip', folder: '/elsewhere/clip' })
  t.match(await findModel('nowhere', models), { folder: join(models, 'nowhere') })
})

t.test('a variant that is not there is refused with those that are, for each tower', async (t) => {
  const folder = await copyOfMini(t)
  await cp(join(folder, 'onnx/vision_model.onnx'), join(folder, 'onnx/vision_model_fp16.onnx'))
  await t.rejects(loadModelPackage(folder, { variant: 'fp16' }), /no variant fp16 of the text tower.*image tower fp32, fp16; text tower fp32.*MODEL_VARIANT/)
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
  await t.rejects(loadModelPackage(folder), /both towers in one graph \(onnx.model\.onnx\)/)
})
