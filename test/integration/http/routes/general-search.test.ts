import t from 'tap'
import { solid } from '../../../fixtures/images.js'
import { testServer } from '../../../fixtures/server.js'

const DIMENSION = 8
/** A unit vector along one axis, leaning a little to the next. */
const axis = (n: number, lean = 0) =>
  Array.from({ length: DIMENSION }, (_, d) =>
    d === n % DIMENSION ? 1 : d === (n + 1) % DIMENSION ? lean : 0
  )
type Matches = { id: string; score: number; modality: string }[]

t.test('the general search over embeddings that were supplied by the client', async (t) => {
  const { api } = await testServer(t)
  const base = '/v1/collections/vectors'
  t.match(await api('PUT', base, { model: null }), { status: 400, body: { error: { message: /dimension/ } } })
  t.match(await api('PUT', base, { model: null, dimension: DIMENSION }), {
    status: 201,
    body: { model: null, fingerprint: null, dimension: DIMENSION }
  })
  const records = [
    ...Array.from({ length: DIMENSION }, (_, n) => ({
      id: `axis${n}`,
      text: `along ${n}`,
      metadata: { n, even: n % 2 === 0 },
      embeddings: { image: axis(n, 0.1) }
    })),
    { id: 'both', metadata: { n: 100 }, embeddings: { image: axis(0), text: axis(3) } },
    { id: 'texts', metadata: { n: 101 }, embeddings: { text: axis(0) } }
  ]
  const { body } = await api('POST', `${base}/records`, { records })
  t.ok(body.results.every(({ status }: { status: string }) => status === 'created'))
  const search = async (request: object) => api('POST', `${base}/search`, request)
  const ids = async (request: object) => ((await search(request)).body.matches as Matches).map(({ id }) => id)

  t.test('by an embedding, of any length', async (t) => {
    const { body } = await search({ query: { embedding: axis(2).map((value) => value * 1e20) }, limit: 2 })
    t.equal(body.matches[0].id, 'axis2')
    t.ok(body.matches[0].score > 0.99 && body.matches[0].score <= 1.000001)
    t.equal(body.model, null)
  })

  t.test('by a record, which is left out', async (t) => {
    t.same(await ids({ query: { record: 'both' }, limit: 1 }), ['axis0'], 'by its image')
    t.same(await ids({ query: { record: 'both', modality: 'text' }, limit: 1 }), ['axis3'], 'by its text')
    t.same(await ids({ query: { record: 'texts' }, limit: 1 }), ['both'], 'by what it has')
    t.notOk((await ids({ query: { record: 'axis1' }, limit: 100 })).includes('axis1'))
    t.match(await search({ query: { record: 'nobody' } }), {
      status: 404,
      body: { error: { code: 'RECORD_NOT_FOUND' } }
    })
    t.match(await search({ query: { record: 'texts', modality: 'image' } }), {
      status: 422,
      body: { error: { code: 'QUERY_INVALID' } }
    })
  })

  t.test('by a weighted list, with a negative part', async (t) => {
    t.same(await ids({ query: [{ embedding: axis(1) }, { embedding: axis(4), weight: 0.5 }], limit: 2 }), [
      'axis1',
      'axis4'
    ])
    const away = await ids({
      query: [{ embedding: axis(1) }, { embedding: axis(2), weight: -1 }],
      limit: 100
    })
    t.equal(away.at(-1), 'axis2')
    t.match(await search({ query: [{ embedding: axis(1) }, { embedding: axis(1), weight: -1 }] }), {
      status: 422,
      body: { error: { code: 'QUERY_INVALID', message: /cancel/ } }
    })
    t.equal((await ids({ query: { embedding: axis(1), weight: -1 }, limit: 100 })).at(-1), 'axis1')
  })

  t.test('targets: pictures, texts, records by both', async (t) => {
    t.same(await ids({ query: { embedding: axis(0) }, target: 'text', limit: 1 }), ['texts'])
    const fused = (await search({ query: { embedding: axis(0) }, target: 'record', limit: 100 })).body
      .matches as Matches
    t.equal(fused.length, 10, 'records with one modality are there')
    t.same(
      fused.slice(0, 2).map(({ id }) => id),
      ['texts', 'both'],
      'first by all that it has, and first by image and second by text'
    )
    t.ok(fused.every(({ modality }) => modality === 'record'))
    t.ok(Math.abs(fused[1].score - (1 / 61 + 1 / 62)) < 1e-9, 'reciprocal ranks')
    t.ok(Math.abs(fused[0].score - 2 / 61) < 1e-9, 'what a record lacks counts as what it has')
    const byText = (
      await search({
        query: { embedding: axis(0) },
        target: 'record',
        fusion: { method: 'weighted', weights: { image: 0, text: 1 } },
        limit: 2
      })
    ).body.matches as Matches
    t.equal(byText[0].id, 'texts')
    const weighted = (
      await search({
        query: { embedding: axis(0) },
        target: 'record',
        fusion: { method: 'weighted', weights: { image: 3, text: 1 } },
        limit: 3
      })
    ).body.matches as Matches
    const textOnly = (
      await search({
        query: { embedding: axis(0) },
        target: 'record',
        fusion: { method: 'rrf', weights: { image: 0 } },
        limit: 100
      })
    ).body.matches as Matches
    t.same(
      textOnly.map(({ id }) => id),
      ['texts', 'both'],
      'what weighs nothing brings no records in'
    )
    const both = weighted.find(({ id }) => id === 'both')!
    t.ok(Math.abs(both.score - 0.75) < 1e-6, 'the weighted mean of its cosines')
  })

  t.test('offset, thresholds, filter, fields, explanation', async (t) => {
    const all = await ids({ query: { embedding: axis(0) }, limit: 9, exact: true })
    t.same(await ids({ query: { embedding: axis(0) }, limit: 3, offset: 2, exact: true }), all.slice(2, 5))
    t.same(await ids({ query: { embedding: axis(0) }, offset: 50 }), [])
    t.match(await search({ query: { embedding: axis(0) }, offset: 9999, limit: 2 }), { status: 400 })
    t.same((await ids({ query: { embedding: axis(0) }, score_threshold: 0.5 })).sort(), ['axis0', 'both'])
    t.same((await ids({ query: { embedding: axis(0) }, relative_threshold: 0.9 })).sort(), ['axis0', 'both'])
    t.same(
      await ids({ query: { record: 'axis0' }, relative_threshold: 0.9 }),
      ['both'],
      'the record itself is not the best match'
    )
    t.same((await ids({ query: { embedding: axis(0) }, filter: { even: true, n: { $gt: 2 } } })).sort(), [
      'axis4',
      'axis6'
    ])
    const { body } = await search({
      query: { embedding: axis(0) },
      filter: { n: { $lt: 4 } },
      explain: true,
      with: ['embeddings'],
      limit: 1
    })
    t.match(body.explanation, { strategy: 'exact', passed: 4, total: 9 })
    t.same(Object.keys(body.matches[0]).sort(), ['embeddings', 'id', 'modality', 'score'])
    t.equal(body.matches[0].embeddings.image.length, DIMENSION)
    t.match((await search({ query: { embedding: axis(0) }, explain: true })).body.explanation, {
      strategy: 'exact',
      passed: 9,
      total: 9
    })
    t.match(await search({ query: { embedding: axis(0) }, filter: { n: { $near: 1 } } }), {
      status: 422,
      body: { error: { code: 'FILTER_INVALID', message: /filter\.n\.\$near/ } }
    })
  })

  t.test('what is no query is rejected', async (t) => {
    const refused = async (query: unknown, expected: object) =>
      t.match(await search({ query }), expected, JSON.stringify(query).slice(0, 60))
    await refused({}, { status: 422, body: { error: { code: 'QUERY_INVALID' } } })
    await refused(
      { text: 'a', record: 'b' },
      { status: 422, body: { error: { code: 'QUERY_INVALID', message: /text and record/ } } }
    )
    await refused([], { status: 400 })
    await refused({ embedding: [1, 2] }, { status: 422, body: { error: { code: 'EMBEDDING_INVALID' } } })
    await refused(
      { embedding: Array(DIMENSION).fill(0) },
      { status: 422, body: { error: { code: 'EMBEDDING_INVALID' } } }
    )
    await refused({ embedding: ['a'] }, { status: 400 })
    await refused({ text: 'a dog' }, { status: 422, body: { error: { code: 'COLLECTION_HAS_NO_MODEL' } } })
  })

  t.test('embeddings that do not fit fail alone', async (t) => {
    const { body } = await api('POST', `${base}/records`, {
      records: [
        { id: 'short', embeddings: { image: [1] } },
        { id: 'zero', embeddings: { image: Array(DIMENSION).fill(0) } },
        { id: 'none', text: 'x' },
        { id: 'huge', embeddings: { image: [1e308, ...Array(DIMENSION - 1).fill(1e308)] } },
        { id: 'fine', embeddings: { image: axis(5) } }
      ]
    })
    t.same(
      body.results.map(
        ({ error, status }: { error?: { code: string }; status: string }) => error?.code ?? status
      ),
      ['EMBEDDING_INVALID', 'EMBEDDING_INVALID', 'RECORD_INVALID', 'EMBEDDING_INVALID', 'created']
    )
  })
})

t.test('composed queries with the encoder, and a search from a browser', async (t) => {
  const { api } = await testServer(t)
  const base = '/v1/collections/colours'
  await api('PUT', base)
  const colours = ['red', 'green', 'blue']
  await api('POST', `${base}/records`, {
    records: await Promise.all(
      colours.map(async (colour) => ({
        id: colour,
        text: `all ${colour}`,
        image: { base64: (await solid(colour)).toString('base64') }
      }))
    )
  })
  const image = { base64: (await solid('red')).toString('base64') }
  const { body } = await api('POST', `${base}/search`, {
    query: [{ image }, { text: 'a green thing', weight: 0.2 }],
    limit: 1
  })
  t.equal(body.matches[0].id, 'red')
  t.match(await api('GET', `${base}/search?text=all%20blue&target=text&limit=1`), {
    status: 200,
    body: { matches: [{ id: 'blue' }] }
  })
  t.match(await api('GET', `${base}/search?text=x&filter=${encodeURIComponent('{"a":1}')}`), {
    status: 200,
    body: { matches: [] }
  })
  for (const query of [
    '',
    '?text=',
    '?text=x&limit=0',
    '?text=x&limit=abc',
    '?text=x&colour=red',
    '?text=x&filter=%7B',
    '?text=x&target=sound'
  ])
    t.match(await api('GET', `${base}/search${query}`), { status: 400 }, query)
})
