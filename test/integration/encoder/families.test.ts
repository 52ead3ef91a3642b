import { cp, readFile, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { cosine } from '../../../src/encoder/embedding.js'
import { createEncoder } from '../../../src/encoder/encoder.js'
import { loadModelPackage } from '../../../src/encoder/model-package.js'
import { loadTokenizer } from '../../../src/encoder/tokenizer.js'
import { encoderOptions } from '../../fixtures/mini.js'
import { testServer } from '../../fixtures/server.js'

// Every family, layout and precision through the whole service, against what the reference implementation
// gives.

const towers = fileURLToPath(new URL('../../fixtures/towers', import.meta.url))

interface Golden {
  texts: { text: string; input_ids: number[]; embedding: number[] }[]
  images: { file: string; embedding: number[] }[]
  zero_shot?: { image: string; template: string; labels: string[]; scores: number[] }
}

const FAMILIES = [
  { name: 'clip', family: 'clip', layout: 'hugging-face' },
  { name: 'mobileclip', family: 'clip', layout: 'hugging-face' },
  { name: 'siglip', family: 'siglip', layout: 'hugging-face' },
  { name: 'siglip2', family: 'siglip', layout: 'hugging-face' },
  { name: 'multilingual', family: 'clip', layout: 'hugging-face' },
  { name: 'openclip', family: 'clip', layout: 'open-clip' },
  { name: 'immich-clip', family: 'clip', layout: 'immich' },
  { name: 'immich-siglip2', family: 'siglip', layout: 'immich' },
  { name: 'immich-mclip', family: 'clip', layout: 'immich' }
]
/**
 * The precisions of `clip`, with the least cosine: what the graphs themselves lose, by the towers' own check.
 */
const VARIANTS = [
  { variant: 'fp16', least: 0.999 },
  { variant: 'int8', least: 0.99 },
  { variant: 'quantized', least: 0.98 },
  { variant: 'q4', least: 0.96 }
]

const golden = async (name: string) =>
  JSON.parse(await readFile(join(towers, name, 'golden.json'), 'utf8')) as Golden
const base64 = async (file: string) => (await readFile(file)).toString('base64')

t.test('embeddings, searches and classes are those of the reference', async (t) => {
  const copies = t.testdir()
  for (const { variant } of VARIANTS)
    await cp(join(towers, 'clip'), join(copies, `clip-${variant}`), { recursive: true })
  const models = [
    ...FAMILIES.map(({ name }) => join(towers, name)),
    ...VARIANTS.map(({ variant }) => `${join(copies, `clip-${variant}`)}:${variant}`)
  ]
  const { api } = await testServer(t, { MODELS: models.join(), DATA_DIR: join(copies, 'data') })
  const loaded: Record<string, string>[] = (await api('GET', '/v1/models')).body.models
  const rows: string[] = []

  for (const model of loaded) {
    const {
      texts,
      images,
      zero_shot: zeroShot
    } = await golden(model.variant === 'fp32' ? model.name : 'clip')
    const least = VARIANTS.find(({ variant }) => variant === model.variant)?.least ?? 0.99999
    if (model.variant === 'fp32')
      t.match(
        model,
        FAMILIES.find(({ name }) => name === model.name)!
      )
    t.match(model, {
      execution: {
        requested: ['cpu'],
        preferred: true,
        image: { provider: 'cpu' },
        text: { provider: 'cpu' }
      },
      passed_over: []
    })

    const input = [
      ...texts.map(({ text }) => ({ text })),
      ...(await Promise.all(
        images.map(async ({ file }) => ({ image: { base64: await base64(join(towers, 'clip', file)) } }))
      ))
    ]
    const { status, body } = await api('POST', '/v1/embeddings', { model: model.name, input })
    t.equal(status, 200, model.name)
    const cosines = [...texts, ...images].map(({ embedding }, i) =>
      cosine(Float32Array.from(embedding), Float32Array.from(body.data[i].embedding))
    )
    const [text, image] = [
      Math.min(...cosines.slice(0, texts.length)),
      Math.min(...cosines.slice(texts.length))
    ]
    t.ok(text >= least, `${model.name} ${model.variant}: text ${text}`)
    t.ok(image >= least, `${model.name} ${model.variant}: image ${image}`)
    rows.push(
      `| ${model.name} | ${model.family} | ${model.layout} | ${model.variant} | ${image.toFixed(6)} | ` +
        `${text.toFixed(6)} |`
    )

    if (zeroShot && model.variant === 'fp32') {
      const { body: answer } = await api('POST', '/v1/zero-shot', {
        model: model.name,
        image: { base64: await base64(join(towers, 'clip', zeroShot.image)) },
        labels: zeroShot.labels,
        templates: [zeroShot.template]
      })
      const scores = new Map<string, number>(
        answer.labels.map(({ label, score }: { label: string; score: number }) => [label, score])
      )
      zeroShot.labels.forEach((label, i) =>
        t.ok(
          Math.abs(scores.get(label)! - zeroShot.scores[i]) < 1e-3,
          `${model.name}: ${label} scores ${scores.get(label)}, the reference ${zeroShot.scores[i]}`
        )
      )
    }
  }
  t.equal(rows.length, FAMILIES.length + VARIANTS.length)
  t.comment(
    [
      '| package | family | layout | variant | image | text |',
      '| --- | --- | --- | --- | --- | --- |',
      ...rows
    ].join('\n')
  )

  t.test('each collection is bound to its model', async (t) => {
    for (const { name, dimension } of loaded as unknown as { name: string; dimension: number }[]) {
      const collection = `of-${name}`
      t.match(await api('PUT', `/v1/collections/${collection}`, { model: name }), {
        status: 201,
        body: { model: name, dimension }
      })
      const { images, texts } = await golden(FAMILIES.some((family) => family.name === name) ? name : 'clip')
      const records = await Promise.all(
        images.map(async ({ file }) => ({
          id: basename(file),
          image: { base64: await base64(join(towers, 'clip', file)) },
          text: texts[0].text
        }))
      )
      t.match(await api('POST', `/v1/collections/${collection}/records`, { records }), {
        status: 200,
        body: { results: records.map(({ id }) => ({ id, status: 'created' })) }
      })
      const found = await api('POST', `/v1/collections/${collection}/search`, {
        query: { image: records[1].image },
        target: 'image',
        limit: 1
      })
      t.match(
        found,
        { status: 200, body: { model: name, matches: [{ id: records[1].id }] } },
        `${name} finds a picture by itself`
      )
      const byText = await api('POST', `/v1/collections/${collection}/search/text-to-image`, {
        text: texts[1].text,
        limit: images.length
      })
      t.equal(byText.body.matches.length, images.length)
    }
    t.match(
      await api('PUT', '/v1/collections/of-clip'),
      { status: 200, body: { model: 'clip' } },
      'a PUT that names no model asks for no other'
    )
    t.match(await api('PUT', '/v1/collections/of-clip', { model: 'siglip' }), { status: 409 })
  })

  t.match(
    await api('POST', '/v1/zero-shot', {
      model: 'siglip2',
      image: { base64: await base64(join(towers, 'images/odd.png')) },
      labels: ['a', 'b']
    }),
    { status: 422, body: { error: { code: 'ZERO_SHOT_UNSUPPORTED', message: /siglip2.*logit_scale/ } } },
    'a sigmoid without its scale does not classify'
  )
  t.match(await api('POST', '/v1/embeddings', { model: 'other', input: 'x' }), {
    status: 404,
    body: { error: { code: 'MODEL_NOT_FOUND', message: /'clip', 'mobileclip'/ } }
  })
})

t.test("token ids are the reference tokenizer's", async (t) => {
  for (const { name } of FAMILIES) {
    const model = await loadModelPackage(join(towers, name))
    const { tokenize } = await loadTokenizer(model, model.text.maxTokens)
    for (const { text, input_ids: ids } of (await golden(name)).texts)
      t.same([...tokenize(text)], ids, `${name}: ${text.slice(0, 40)}`)
  }
})

t.test('a tower that sees its padding is fed with it, whatever its files say', async (t) => {
  const folder = join(t.testdir(), 'unknown')
  await cp(join(towers, 'siglip2'), folder, { recursive: true })
  await writeFile(join(folder, 'semblance.json'), JSON.stringify({ family: 'clip', max_tokens: 64 }))
  const model = await loadModelPackage(folder)
  t.equal(model.text.padsToMax, false)
  const encoder = await createEncoder(model, encoderOptions())
  t.teardown(() => encoder.close())
  const texts = (await golden('siglip2')).texts.filter(({ text }) => text === text.toLowerCase())
  t.ok(texts.length > 1)
  for (const { text, embedding } of texts) {
    const same = cosine(Float32Array.from(embedding), await encoder.encodeText(text))
    t.ok(same > 0.99999, `${text.slice(0, 40)}: ${same}`)
  }
})
