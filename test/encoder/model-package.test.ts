import { cp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { loadModelPackage, modelFolder } from '../../src/encoder/model-package.js'
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
  await t.rejects(loadModelPackage('/nowhere'), /config\.json/)
})

t.test('a model is a name under the folder of models, or a path', async (t) => {
  t.equal(modelFolder('mini', '/models'), '/models/mini')
  t.equal(modelFolder('Xenova/clip', '/models'), '/models/Xenova/clip')
  t.equal(modelFolder('/elsewhere/clip', '/models'), '/elsewhere/clip')
})
