import t from 'tap'
import { form, golden, solid } from '../../../fixtures/images.js'
import { testServer } from '../../../fixtures/server.js'

const COLOURS = ['red', 'green', 'blue', 'yellow', 'black', 'white']

t.test('search over HTTP', async (t) => {
  const { api } = await testServer(t)
  await api('PUT', '/v1/collections/colours')
  const base = '/v1/collections/colours'
  const pictures = await Promise.all(COLOURS.map((colour) => solid(colour, { width: 64, height: 48 })))
  const records = COLOURS.map((colour, i) => ({
    id: colour,
    text: `the colour ${colour}`,
    metadata: { i },
    image: { base64: pictures[i].toString('base64') }
  }))
  await api('POST', `${base}/records`, { records: [...records, { id: 'words', text: 'only words' }] })

  t.test('words to pictures', async (t) => {
    const { status, body } = await api('POST', `${base}/search/text-to-image`, {
      text: 'a red square',
      limit: 3
    })
    t.equal(status, 200)
    t.equal(body.matches.length, 3)
    t.match(body.matches[0], {
      id: String,
      score: Number,
      modality: 'image',
      text: /the colour/,
      metadata: { i: Number },
      image_url: /^\/v1\/collections\/colours\/records\/\w+\/image$/
    })
    t.ok(
      body.matches.every(({ id }: { id: string }) => id !== 'words'),
      'a record without an image is none'
    )
    t.ok(body.matches[0].score >= body.matches[1].score && body.matches[1].score >= body.matches[2].score)
    t.equal(body.model, 'mini')
    const { queue, decode, encode, search, total } = body.took_ms
    t.ok([queue, encode, search].every((ms) => ms >= 0) && decode === 0 && total >= search)
    t.equal(
      (await api('POST', `${base}/search/text-to-image`, { text: 'x' })).body.matches.length,
      6,
      '10 by default, or what there is'
    )
  })

  t.test('a picture to texts, as form and as JSON', async (t) => {
    const asForm = await api(
      'POST',
      `${base}/search/image-to-text`,
      form([
        ['image', pictures[0]],
        ['limit', '7'],
        ['exact', 'true']
      ])
    )
    t.match(asForm, { status: 200, body: { matches: { length: 7 } } })
    t.ok(asForm.body.matches.some(({ id }: { id: string }) => id === 'words'))
    t.ok(asForm.body.matches.every(({ modality }: { modality: string }) => modality === 'text'))
    const asJson = await api('POST', `${base}/search/image-to-text`, {
      image: { base64: pictures[0].toString('base64') },
      limit: 7
    })
    t.same(
      asJson.body.matches.map(({ id }: { id: string }) => id),
      asForm.body.matches.map(({ id }: { id: string }) => id)
    )
  })

  t.test('the score is the cosine, the same exactly and by the graph', async (t) => {
    const search = async (options: object) =>
      (await api('POST', `${base}/search/text-to-image`, { text: 'the sky', limit: 6, ...options })).body
        .matches
    const [exact, approximate] = [await search({ exact: true }), await search({ ef_search: 50 })]
    t.same(approximate, exact)
    t.ok(exact.every(({ score }: { score: number }) => Math.abs(score) <= 1.000001))
  })

  t.test('what is no search is rejected', async (t) => {
    const refused = async (path: string, body: unknown, expected: object) =>
      t.match(await api('POST', `${base}/search/${path}`, body), expected, JSON.stringify(body).slice(0, 80))
    for (const body of [
      {},
      { text: '' },
      { text: 5 },
      { text: 'x', limit: 0 },
      { text: 'x', limit: 1001 },
      { text: 'x', limit: '3' },
      { text: 'x', limit: 1.5 },
      { text: 'x', exact: 'yes' },
      { text: 'x', colour: 'red' },
      { text: null }
    ]) {
      await refused('text-to-image', body, {
        status: 400,
        body: { error: { code: 'INVALID_REQUEST', message: /./ } }
      })
    }
    await refused(
      'text-to-image',
      { text: 'a'.repeat(8001) },
      { status: 422, body: { error: { code: 'TEXT_INVALID' } } }
    )
    await refused(
      'image-to-text',
      { image: { base64: 'aGVsbG8=' } },
      { status: 415, body: { error: { code: 'IMAGE_UNSUPPORTED' } } }
    )
    await refused('image-to-text', form([['limit', '3']]), { status: 400 })
    await refused(
      'image-to-text',
      form([
        ['image', pictures[0]],
        ['image', pictures[1]]
      ]),
      { status: 400 }
    )
    await refused(
      'image-to-text',
      form([
        ['image', pictures[0]],
        ['limit', 'three']
      ]),
      { status: 400 }
    )
    t.match(await api('POST', '/v1/collections/nowhere/search/text-to-image', { text: 'x' }), {
      status: 404,
      body: { error: { code: 'COLLECTION_NOT_FOUND' } }
    })
  })

  t.test('zero-shot: one image, several, as form and as JSON', async (t) => {
    const image = { base64: (await golden('portrait.jpg')).toString('base64') }
    const labels = ['a dog', 'a car', { label: 'street', prompts: ['a photo of a street', 'a road'] }]
    const one = await api('POST', '/v1/zero-shot', { image, labels })
    t.match(one, {
      status: 200,
      body: {
        labels: { length: 3 },
        activation: 'softmax',
        templates: ['a photo of a {label}.'],
        model: 'mini'
      }
    })
    t.ok(
      Math.abs(one.body.labels.reduce((sum: number, { score }: { score: number }) => sum + score, 0) - 1) <
        1e-6
    )
    const several = await api('POST', '/v1/zero-shot', {
      images: [image, { base64: pictures[1].toString('base64') }],
      labels,
      top_k: 1,
      templates: 'imagenet-80'
    })
    t.match(several, {
      status: 200,
      body: { results: [{ labels: { length: 1 } }, { labels: { length: 1 } }], templates: { length: 80 } }
    })
    t.equal(several.body.labels, undefined)
    const fields: [string, string | Uint8Array][] = [
      ['image', pictures[0]],
      ['labels', 'a dog'],
      ['labels', 'a car'],
      ['templates', 'simple'],
      ['multi_label', 'true'],
      ['top_k', '1']
    ]
    t.match(await api('POST', '/v1/zero-shot', form(fields)), {
      status: 200,
      body: { labels: { length: 1 }, activation: 'sigmoid' }
    })
    t.match(
      await api(
        'POST',
        '/v1/zero-shot',
        form([
          ['image', pictures[0]],
          ['labels', '["a dog","a car"]'],
          ['templates', 'an {label}']
        ])
      ),
      { status: 200, body: { templates: ['an {label}'] } }
    )
  })

  t.test('zero-shot: a single label under softmax has a warning', async (t) => {
    const ask = async (body: object) =>
      (await api('POST', '/v1/zero-shot', { image: { base64: pictures[0].toString('base64') }, ...body }))
        .body
    t.match(await ask({ labels: ['a dog'] }), {
      labels: [{ label: 'a dog', score: 1 }],
      warning: /a single label always gets 1\. Send two or more labels, or set multi_label: true/
    })
    t.equal((await ask({ labels: ['a dog'], multi_label: true })).warning, undefined)
    t.equal((await ask({ labels: ['a dog', 'a cat'] })).warning, undefined)
    t.match((await ask({ labels: ['cat', 'Cat'] })).error, {
      code: 'LABELS_INVALID',
      message: /labels 'cat' and 'Cat' as the same tokens/
    })
  })

  t.test('zero-shot: what makes no sense is rejected', async (t) => {
    const image = { base64: pictures[0].toString('base64') }
    const refused = async (body: object, expected: object) =>
      t.match(await api('POST', '/v1/zero-shot', body), expected, JSON.stringify(body).slice(0, 80))
    await refused({ image, labels: [] }, { status: 400, body: { error: { message: /labels/ } } })
    await refused({ image }, { status: 400, body: { error: { message: /labels/ } } })
    await refused({ labels: ['a'] }, { status: 400, body: { error: { message: /image/ } } })
    await refused({ image, images: [image], labels: ['a'] }, { status: 400 })
    await refused({ image, labels: ['a', 'a'] }, { status: 422, body: { error: { code: 'LABELS_INVALID' } } })
    await refused(
      { image, labels: ['a'], templates: ['no slot'] },
      { status: 422, body: { error: { code: 'TEMPLATE_INVALID', message: /\{label\}/ } } }
    )
    await refused(
      { image, labels: ['a'], templates: 'imagenet-81' },
      { status: 422, body: { error: { code: 'TEMPLATE_INVALID', message: /imagenet-80/ } } }
    )
    await refused({ image, labels: ['a'], top_k: 0 }, { status: 400 })
    await refused(
      { image, labels: ['a'], model: 'clip' },
      { status: 404, body: { error: { code: 'MODEL_NOT_FOUND' } } }
    )
    await refused({ image, labels: Array.from({ length: 4097 }, (_, i) => `l${i}`) }, { status: 400 })
    await refused({ image: { base64: 'aGVsbG8=' }, labels: ['a'] }, { status: 415 })
  })
})
