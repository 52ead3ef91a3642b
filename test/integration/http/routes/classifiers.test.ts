import t from 'tap'
import { form, heic, solid } from '../../../fixtures/images.js'
import { testServer } from '../../../fixtures/server.js'

const image = (bytes: Buffer) => ({ base64: bytes.toString('base64') })
/** Shades of a colour, each a picture of its own. */
const shades = (colour: (shade: number) => string, count = 4) =>
  Promise.all(Array.from({ length: count }, (_, i) => solid(colour(255 - 20 * i))))
const red = (shade: number) => `rgb(${shade}, 0, 0)`
const blue = (shade: number) => `rgb(0, 0, ${shade})`

t.test('classifiers over HTTP', async (t) => {
  const { api } = await testServer(t)
  const [reds, blues] = [await shades(red), await shades(blue)]
  const examples = [
    ...reds.map((bytes) => ({ label: 'red', image: image(bytes) })),
    ...blues.map((bytes) => ({ label: 'blue', image: image(bytes) }))
  ]
  const [newRed, newBlue] = [await solid(red(205)), await solid(blue(205))]

  t.test('trained with images, it tells new ones', async (t) => {
    const { status, body } = await api('PUT', '/v1/classifiers/colours', { examples })
    t.equal(status, 201)
    t.match(body, {
      name: 'colours',
      model: 'mini',
      fingerprint: /^[0-9a-f]{64}$/,
      method: 'linear-probe',
      inputs: ['image'],
      collection: null,
      folds: 8,
      validated_examples: 8,
      auroc: null,
      c: Number,
      scale: null,
      seed: 0
    })
    t.same(body.labels, [
      { label: 'blue', examples: 4, validated: true },
      { label: 'red', examples: 4, validated: true }
    ])
    t.same(body.accuracy, { value: 1, low: 1, high: 1 })
    t.same(body.confusion, [
      [4, 0],
      [0, 4]
    ])
    const one = await api('POST', '/v1/classifiers/colours/classify', { image: image(newRed) })
    t.match(one, {
      status: 200,
      body: {
        labels: [{ label: 'red', score: Number }, { label: 'blue' }],
        model: 'mini',
        classifier: 'colours'
      }
    })
    t.ok(Math.abs(one.body.labels[0].score + one.body.labels[1].score - 1) < 1e-9)
    const several = await api('POST', '/v1/classifiers/colours/classify', {
      images: [image(newRed), image(newBlue)],
      top_k: 1
    })
    t.match(several.body.results, [{ labels: [{ label: 'red' }] }, { labels: [{ label: 'blue' }] }])
    t.match(
      await api(
        'POST',
        '/v1/classifiers/colours/classify',
        form([
          ['image', newBlue],
          ['top_k', '1']
        ])
      ),
      { status: 200, body: { labels: [{ label: 'blue' }] } }
    )
    t.match(
      (
        await api(
          'POST',
          '/v1/classifiers/colours/classify',
          form([
            ['image', newBlue],
            ['image', newRed]
          ])
        )
      ).body,
      { results: { length: 2 } }
    )
  })

  t.test('as a form, with other settings, and in the place of another', async (t) => {
    const parts: [string, string | Uint8Array][] = [...reds.slice(0, 2), ...blues.slice(0, 2)].map(
      (bytes) => ['image', bytes]
    )
    const options: [string, string][] = [
      ['method', 'nearest-class-mean'],
      ['prior', 'true'],
      ['templates', 'the colour {label}'],
      ['folds', '2'],
      ['seed', '3']
    ]
    const trained = await api(
      'PUT',
      '/v1/classifiers/colours',
      form([
        ...parts,
        ['labels', 'warm'],
        ['labels', 'warm'],
        ['labels', 'cold'],
        ['labels', 'cold'],
        ...options
      ])
    )
    t.match(trained, {
      status: 200,
      body: {
        method: 'nearest-class-mean',
        prior: true,
        templates: ['the colour {label}'],
        folds: 2,
        c: null,
        scale: Number,
        seed: 3
      }
    })
    t.match(
      (await api('POST', '/v1/classifiers/colours/classify', { image: image(newRed) })).body.labels[0],
      { label: 'warm' }
    )
    t.match(await api('PUT', '/v1/classifiers/colours', form([...parts, ['labels', '["a", "b", "a"]']])), {
      status: 400,
      body: { error: { message: /4 images and 3 labels/ } }
    })
    t.match(
      await api('GET', '/v1/classifiers/colours'),
      { status: 200, body: trained.body },
      'what was refused has changed nothing'
    )
  })

  t.test('one example of a label is trained with, and said not to be validated', async (t) => {
    const { body } = await api('PUT', '/v1/classifiers/single', {
      examples: [examples[0], ...examples.slice(4)],
      prior: false
    })
    t.match(body.labels, [
      { label: 'blue', validated: true },
      { label: 'red', examples: 1, validated: false }
    ])
    t.match(body, { validated_examples: 4, auroc: null, prior: false, templates: null })
    const alone = await api('PUT', '/v1/classifiers/single', { examples: [examples[0], examples[4]] })
    t.match(alone, {
      status: 200,
      body: {
        accuracy: null,
        auroc: null,
        folds: null,
        confusion: null,
        validated_examples: 0,
        prior: true,
        c: 1
      }
    })
    t.match((await api('POST', '/v1/classifiers/single/classify', { image: image(newRed) })).body.labels[0], {
      label: 'red'
    })
  })

  t.test('texts, and texts with images', async (t) => {
    const texts = ['a red apple', 'a ripe tomato', 'a fire engine', 'blood']
      .map((text) => ({ label: 'red', text }))
      .concat(['the sky', 'the sea', 'a blue whale', 'jeans'].map((text) => ({ label: 'blue', text })))
    t.match((await api('PUT', '/v1/classifiers/words', { examples: texts })).body, {
      inputs: ['text'],
      validated_examples: 8
    })
    t.match(await api('POST', '/v1/classifiers/words/classify', { text: 'the ocean' }), {
      status: 200,
      body: { labels: { length: 2 } }
    })
    t.match(await api('POST', '/v1/classifiers/words/classify', { image: image(newRed) }), {
      status: 400,
      body: { error: { message: /trained with texts only/ } }
    })
    // What is right depends on both: a caption that fits, or not.
    const pairs = [
      ...reds.flatMap((bytes) => [
        { label: 'fits', image: image(bytes), text: 'red' },
        { label: 'differs', image: image(bytes), text: 'blue' }
      ]),
      ...blues.flatMap((bytes) => [
        { label: 'fits', image: image(bytes), text: 'blue' },
        { label: 'differs', image: image(bytes), text: 'red' }
      ])
    ]
    t.match((await api('PUT', '/v1/classifiers/captions', { examples: pairs, prior: false })).body, {
      inputs: ['image', 'text'],
      accuracy: { value: 1 }
    })
    const best = async (input: object) =>
      (await api('POST', '/v1/classifiers/captions/classify', input)).body.labels[0].label
    t.equal(await best({ image: image(newRed), text: 'red' }), 'fits')
    t.equal(await best({ image: image(newRed), text: 'blue' }), 'differs')
    for (const input of [{ image: image(newRed) }, { text: 'red' }])
      t.match(
        await api('POST', '/v1/classifiers/captions/classify', input),
        { status: 200, body: { labels: { length: 2 } } },
        'either alone is answered'
      )
    t.match(
      await api(
        'POST',
        '/v1/classifiers/captions/classify',
        form([
          ['image', newBlue],
          ['text', 'blue']
        ])
      ),
      { status: 200, body: { labels: [{ label: 'fits' }, {}] } }
    )
  })

  t.test('the records of a collection, by a field', async (t) => {
    await api('PUT', '/v1/collections/squares')
    const records = examples.map(({ label, image }, i) => ({
      id: `${i}`,
      image,
      text: `square ${i}`,
      metadata: { look: { colour: label }, even: i % 2 === 0, odd: [label], i }
    }))
    await api('POST', '/v1/collections/squares/records', {
      records: [
        ...records,
        { id: 'none', image: image(newRed) },
        { id: 'words', text: 'red', metadata: { look: { colour: 'red' } } }
      ]
    })
    const train = (options: object) =>
      api('PUT', '/v1/classifiers/records', { collection: 'squares', label_field: 'look.colour', ...options })
    t.match(await train({}), {
      status: 201,
      body: {
        collection: 'squares',
        inputs: ['image'],
        labels: [
          { label: 'blue', examples: 4 },
          { label: 'red', examples: 4 }
        ],
        accuracy: { value: 1 }
      }
    })
    t.match(
      (await api('POST', '/v1/classifiers/records/classify', { image: image(newBlue) })).body.labels[0],
      { label: 'blue' }
    )
    t.match((await train({ per_class: 2, seed: 1 })).body.labels, [{ examples: 2 }, { examples: 2 }])
    t.match((await train({ filter: { i: { $gte: 2 } } })).body.labels, [{ examples: 4 }, { examples: 2 }])
    t.match((await train({ modalities: ['image', 'text'] })).body, {
      inputs: ['image', 'text'],
      labels: [{ examples: 4 }, { examples: 5 }]
    })
    t.match((await train({ label_field: 'even' })).body.labels, [{ label: 'false' }, { label: 'true' }])
    t.match(await train({ label_field: 'size' }), {
      status: 422,
      body: {
        error: {
          code: 'EXAMPLES_INVALID',
          message: /'squares' has both a single value in the metadata field 'size'/
        }
      }
    })
    t.match(await train({ label_field: 'odd' }), { status: 422 }, 'lists are no labels')
    t.match(await train({ filter: { look: { $near: 1 } } }), {
      status: 422,
      body: { error: { code: 'FILTER_INVALID' } }
    })
    t.match(await train({ label_field: undefined }), {
      status: 400,
      body: { error: { message: /label_field/ } }
    })
    t.match(await train({ collection: 'nowhere' }), {
      status: 404,
      body: { error: { code: 'COLLECTION_NOT_FOUND' } }
    })
    t.match(await train({ model: 'other' }), { status: 404, body: { error: { code: 'MODEL_NOT_FOUND' } } })
    await api('PUT', '/v1/collections/brought', { model: null, dimension: 2 })
    t.match(await train({ collection: 'brought' }), {
      status: 422,
      body: { error: { code: 'COLLECTION_HAS_NO_MODEL' } }
    })
  })

  t.test('what is no training is rejected, and says why', async (t) => {
    const refused = async (body: unknown, status: number, message: RegExp) =>
      t.match(
        await api('PUT', '/v1/classifiers/wrong', body),
        { status, body: { error: { message } } },
        String(message)
      )
    await refused({ examples: examples.slice(0, 4) }, 422, /All 4 examples have the label 'red'/)
    await refused(
      { examples: [...examples, { label: ' ', text: 'x' }] },
      422,
      /examples\[8\]: the label is empty/
    )
    await refused(
      { examples: [...examples, { label: 'red' }] },
      422,
      /examples\[8\]: the example has no image and no text/
    )
    await refused(
      { examples: [...examples, { label: 'red', image: { base64: heic.toString('base64') } }] },
      415,
      /examples\[8\]: /
    )
    await refused(
      { examples: [...examples, { label: 'red', image: { base64: 'no base64!' } }] },
      422,
      /examples\[8\]: .*base64/
    )
    await refused(
      { examples: [...examples, { label: 'red', text: 'a'.repeat(8001) }] },
      422,
      /examples\[8\]: /
    )
    await refused({ examples, templates: 'no label' }, 422, /no template set 'no label'/)
    await refused({ examples, prompts: { green: ['grass'] } }, 422, /prompts has the label 'green'/)
    await refused(
      { examples, c: 1, method: 'nearest-class-mean' },
      400,
      /c is only for the method linear-probe/
    )
    await refused({ examples, collection: 'squares' }, 400, /either examples, or collection/)
    await refused({ examples, per_class: 3 }, 400, /per_class/)
    await refused({}, 400, /either examples/)
    for (const options of [
      { c: 0 },
      { c: -1 },
      { c: '1' },
      { folds: 1 },
      { folds: 21 },
      { method: 'svm' },
      { prior: 'no' },
      { seed: -1 },
      { per_class: 0 },
      { shots: 3 }
    ])
      await refused({ examples, ...options }, 400, /./)
    t.match(await api('PUT', '/v1/classifiers/Not%20A%20Name', { examples }), { status: 400 })
    t.match(await api('GET', '/v1/classifiers/wrong'), {
      status: 404,
      body: { error: { code: 'CLASSIFIER_NOT_FOUND' } }
    })
  })

  t.test('listed, removed, and not there', async (t) => {
    const { body } = await api('GET', '/v1/classifiers')
    t.same(
      body.classifiers.map(({ name }: { name: string }) => name),
      ['captions', 'colours', 'records', 'single', 'words']
    )
    t.match(await api('DELETE', '/v1/classifiers/words'), { status: 204 })
    for (const [method, path] of [
      ['DELETE', ''],
      ['GET', ''],
      ['POST', '/classify']
    ])
      t.match(
        await api(method, `/v1/classifiers/words${path}`, method === 'POST' ? { text: 'x' } : undefined),
        { status: 404, body: { error: { code: 'CLASSIFIER_NOT_FOUND' } } }
      )
    for (const input of [
      {},
      { text: '' },
      { text: ' ' },
      { images: [] },
      { image: image(newRed), images: [image(newRed)] },
      { images: [image(newRed)], text: 'x' },
      { image: image(newRed), top_k: 0 }
    ])
      t.match(
        await api('POST', '/v1/classifiers/captions/classify', input),
        { status: 400 },
        JSON.stringify(input).slice(0, 40)
      )
    t.match(await api('POST', '/v1/classifiers/colours/classify', { image: { base64: 'aGVsbG8=' } }), {
      status: 415
    })
  })

  t.test('while one is trained others are answered, and a caller may give up', async (t) => {
    const many = Array.from({ length: 100 }, (_, i) => ({
      label: `label ${i % 10}`,
      text: `the number ${i * 7919}`
    }))
    t.match(
      await api(
        'PUT',
        '/v1/classifiers/big',
        { examples: many },
        { headers: { 'x-request-timeout': '0.05' } }
      ),
      { status: 504, body: { error: { code: 'DEADLINE_EXCEEDED' } } }
    )
    const training = api('PUT', '/v1/classifiers/big', { examples: many })
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        api('POST', '/v1/classifiers/colours/classify', { image: image(newRed), top_k: 1 })
      )
    )
    t.ok(answers.every(({ status }) => status === 200))
    t.match(await training, {
      status: 201,
      body: { labels: { length: 10 }, folds: 5, validated_examples: 100 }
    })
  })
})
