import t from 'tap'
import { cosine, meanEmbedding } from '../../../src/encoder/embedding.js'
import { TEMPLATES } from '../../../src/encoder/templates.js'
import type { Encoder } from '../../../src/encoder/encoder.js'
import { createClassifier } from '../../../src/encoder/zero-shot.js'
import { golden } from '../../fixtures/images.js'
import { miniEncoder } from '../../fixtures/mini.js'

t.test('the named templates are the 1, 7 and 80 of the CLIP paper', async (t) => {
  t.equal(TEMPLATES.simple.length, 1)
  t.equal(new Set(TEMPLATES['imagenet-7']).size, 7)
  t.equal(new Set(TEMPLATES['imagenet-80']).size, 80)
  t.ok(TEMPLATES['imagenet-7'].every((template) => TEMPLATES['imagenet-80'].includes(template)))
  t.ok(
    Object.values(TEMPLATES)
      .flat()
      .every((template) => template.split('{label}').length === 2)
  )
})

t.test('classification', async (t) => {
  const encoder = await miniEncoder(t)
  const image = await encoder.encodeImage(await golden('portrait.jpg'))
  const labels = ['a dog', 'a red car', 'an empty street']

  t.test('softmax of the scaled cosines, best first, sums to 1', async (t) => {
    const classifier = await createClassifier(encoder, { labels, templates: ['{label}'] })
    const result = classifier.classify(image)
    const similarities = await Promise.all(
      labels.map(async (label) => cosine(image, await encoder.encodeText(label)))
    )
    const weights = similarities.map((similarity) => Math.exp(31.654 * similarity))
    const sum = weights.reduce((a, b) => a + b)
    for (const { label, score, similarity } of result) {
      t.ok(Math.abs(score - weights[labels.indexOf(label)] / sum) < 1e-5, label)
      t.ok(Math.abs(similarity - similarities[labels.indexOf(label)]) < 1e-5, label)
    }
    t.same(
      result.map(({ score }) => score),
      result.map(({ score }) => score).sort((a, b) => b - a)
    )
    t.ok(Math.abs(result.reduce((total, { score }) => total + score, 0) - 1) < 1e-9)
    t.equal(classifier.activation, 'softmax')
  })

  t.test('a label is the normalised mean of its prompts', async (t) => {
    const templates = ['a photo of {label}', 'a drawing of {label}']
    const [{ similarity }] = (await createClassifier(encoder, { labels: ['a dog'], templates })).classify(
      image
    )
    const prompts = await Promise.all(
      ['a photo of a dog', 'a drawing of a dog'].map((text) => encoder.encodeText(text))
    )
    t.ok(Math.abs(similarity - cosine(image, meanEmbedding(prompts))) < 1e-6)
    const own = (
      await createClassifier(encoder, {
        labels: [{ label: 'dog', prompts: ['a photo of a dog', 'a drawing of a dog'] }]
      })
    ).classify(image)
    t.ok(Math.abs(own[0].similarity - similarity) < 1e-6, 'prompts of its own do the same')
    t.equal(own[0].label, 'dog')
  })

  t.test('labels that the model reads as equal tokens are rejected', async (t) => {
    for (const pair of [
      ['cat', 'Cat'],
      ['cat', 'cat '],
      ['a  cat', 'a cat'],
      ['CAFÉ', 'cafe\u0301']
    ]) {
      const message =
        `The model reads the labels '${pair[0]}' and '${pair[1]}' as the same tokens; ` +
        'send only one of them.'
      // The second time the embeddings are those that were kept.
      for (const templates of [['a photo of a {label}'], ['{label}', 'the {label}']])
        await t.rejects(
          createClassifier(encoder, { labels: ['a dog', ...pair], templates }),
          { code: 'LABELS_INVALID', message },
          JSON.stringify(pair)
        )
    }
    await t.rejects(
      createClassifier(encoder, {
        labels: [
          { label: 'one', prompts: ['a', 'b'] },
          { label: 'other', prompts: ['B', 'A'] }
        ]
      }),
      { code: 'LABELS_INVALID' }
    )
    t.equal(
      (
        await createClassifier(encoder, { labels: ['cat', 'cats', 'a cat'], templates: ['{label}'] })
      ).classify(image).length,
      3
    )
  })

  t.test('4,001 emoji are not over 8,000 characters', async (t) => {
    const long = (count: number) =>
      createClassifier(encoder, { labels: ['a dog', { label: 'apples', prompts: ['🍎'.repeat(count)] }] })
    t.ok(await long(4001))
    await t.rejects(long(8001), {
      code: 'LABELS_INVALID',
      message: 'A prompt has 8001 characters; at most 8000 are allowed.'
    })
  })

  t.test('with multi_label every label stands alone', async (t) => {
    const alone = (await createClassifier(encoder, { labels: ['a dog'], multiLabel: true })).classify(
      image
    )[0]
    const among = await createClassifier(encoder, { labels, multiLabel: true })
    const score = among.classify(image).find(({ label }) => label === 'a dog')!.score
    t.ok(Math.abs(alone.score - score) < 1e-6, 'others change nothing')
    t.equal(among.activation, 'sigmoid')
  })

  t.test('a sigmoid model uses its scale and bias, and refuses without', async (t) => {
    const as = (zeroShot: object): Encoder => ({
      ...encoder,
      model: { ...encoder.model, zeroShot: { template: '{label}', activation: 'sigmoid', ...zeroShot } }
    })
    const classifier = await createClassifier(as({ logitScale: 117.330765, logitBias: -12.932437 }), {
      labels
    })
    for (const { score, similarity } of classifier.classify(image))
      t.ok(Math.abs(score - 1 / (1 + Math.exp(12.932437 - 117.330765 * similarity))) < 1e-9)
    await t.rejects(createClassifier(as({ logitBias: -12 }), { labels }), {
      code: 'ZERO_SHOT_UNSUPPORTED',
      message: /scale/
    })
    await t.rejects(createClassifier(as({ logitScale: 117 }), { labels }), {
      code: 'ZERO_SHOT_UNSUPPORTED',
      message: /bias/
    })
  })

  t.test('a label that looks like a replacement pattern is taken as it is', async (t) => {
    const [{ similarity }] = (
      await createClassifier(encoder, { labels: ['$& $1 dog'], templates: ['a {label}'] })
    ).classify(image)
    t.ok(Math.abs(similarity - cosine(image, await encoder.encodeText('a $& $1 dog'))) < 1e-6)
  })

  t.test('labels and templates that make no sense are rejected', async (t) => {
    const reject = (options: object, code: string) =>
      t.rejects(createClassifier(encoder, { labels, ...options }), { code, statusCode: 422 })
    await reject({ labels: ['a dog', 'a cat', 'a dog'] }, 'LABELS_INVALID')
    await reject({ labels: [' '] }, 'LABELS_INVALID')
    await reject({ templates: ['a photo'] }, 'TEMPLATE_INVALID')
    await reject({ templates: 'imagenet-8' }, 'TEMPLATE_INVALID')
    await reject({ templates: 'constructor' }, 'TEMPLATE_INVALID')
    await reject(
      { labels: Array.from({ length: 300 }, (_, i) => `label ${i}`), templates: 'imagenet-80' },
      'LABELS_INVALID'
    )
  })
})
