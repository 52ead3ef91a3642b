import t from 'tap'
import { solid } from '../../../fixtures/images.js'
import { testServer } from '../../../fixtures/server.js'

type Matches = { id: string; score: number }[]
type Vector = number[]

const unit = (vector: Vector) => vector.map((value) => value / Math.hypot(...vector))
const dot = (a: Vector, b: Vector) => a.reduce((sum, value, d) => sum + value * b[d], 0)
/** Vectors that lie anywhere, the same ones every time. */
const vector = (n: number) => unit(Array.from({ length: 8 }, (_, d) => Math.sin(12.9898 * (n + 1) * (d + 1))))
const joint = ({ image, text }: { image?: Vector; text?: Vector }, w: { image: number; text: number }) =>
  image && text ? unit(image.map((value, d) => w.image * value + w.text * text[d])) : (image ?? text)!

t.test('fusion over HTTP', async (t) => {
  const { api } = await testServer(t)

  t.test('of embeddings that were supplied by the client', async (t) => {
    const base = '/v1/collections/vectors'
    await api('PUT', base, { model: null, dimension: 8 })
    const embeddings = Array.from({ length: 60 }, (_, n): { image?: Vector; text?: Vector } => ({
      ...(n % 5 !== 3 && { image: vector(n) }),
      ...(n % 5 !== 4 && { text: vector(n + 100) })
    }))
    await api('POST', `${base}/records`, {
      records: embeddings.map((embeddings, n) => ({ id: `r${n}`, metadata: { n }, embeddings }))
    })
    const search = async (request: object) =>
      api('POST', `${base}/search`, { query: { embedding: vector(7) }, target: 'record', ...request })
    const matches = async (request: object): Promise<Matches> => (await search(request)).body.matches

    for (const weights of [
      { image: 1, text: 1 },
      { image: 0.2, text: 0.8 }
    ]) {
      const fusion = { method: 'joint', weights }
      const expected = embeddings
        .map((record, n) => ({ id: `r${n}`, score: dot(vector(7), joint(record, weights)) }))
        .sort((a, b) => b.score - a.score)
      for (const exact of [true, false]) {
        const found = await matches({ fusion, exact, limit: 60 })
        t.same(
          found.map(({ id }) => id),
          expected.map(({ id }) => id),
          `joint vectors, weights ${JSON.stringify(weights)}`
        )
        t.ok(found.every(({ score }, i) => Math.abs(score - expected[i].score) < 1e-6))
      }
      const pages = await Promise.all([0, 7, 14].map((offset) => matches({ fusion, limit: 7, offset })))
      t.same(
        pages.flat().map(({ id }) => id),
        expected.slice(0, 21).map(({ id }) => id),
        'pages'
      )
      const threshold = expected[9].score - 1e-6
      t.equal(
        (await matches({ fusion, score_threshold: threshold, limit: 60 })).length,
        10,
        'score_threshold'
      )
      t.same(
        (await matches({ fusion, relative_threshold: 0.8, limit: 60 })).map(({ id }) => id),
        expected.filter(({ score }) => score >= 0.8 * expected[0].score).map(({ id }) => id),
        'relative_threshold'
      )
      const filtered = await search({ fusion, filter: { n: { $lt: 30 } }, limit: 5, explain: true })
      t.same(
        filtered.body.matches.map(({ id }: { id: string }) => id),
        expected
          .filter(({ id }) => Number(id.slice(1)) < 30)
          .slice(0, 5)
          .map(({ id }) => id)
      )
      t.match(filtered.body.explanation, { strategy: 'exact', passed: 30, total: 60, candidates: 30 })
    }
    for (const fusion of [
      undefined,
      { method: 'weighted' },
      { method: 'weighted', normalisation: 'z-score' },
      { method: 'joint' }
    ]) {
      t.equal(
        (await matches({ fusion, limit: 60 })).length,
        60,
        `all records, whatever they hold: ${JSON.stringify(fusion)}`
      )
      t.notOk(
        (await matches({ query: { record: 'r8' }, fusion, limit: 60 })).some(({ id }) => id === 'r8'),
        'the record of the query is left out'
      )
    }
    for (const fusion of [
      { method: 'rrf', weights: { text: 0 } },
      { method: 'weighted', weights: { text: 0 } },
      { method: 'joint', weights: { text: 0 } }
    ]) {
      const found = await matches({ fusion, limit: 60 })
      const byImage = await matches({ target: 'image', fusion: undefined, limit: 60 })
      t.same(
        found.map(({ id }) => id),
        byImage.map(({ id }) => id),
        `${fusion.method} by the image alone`
      )
    }
    t.match(
      await search({ fusion: { method: 'joint', weights: { image: -1 } } }),
      { status: 400, body: { error: { message: /weights\/image|weights\.image/ } } },
      'negative weights'
    )
    t.match(await search({ fusion: { method: 'joint', weights: { image: 0, text: 0 } } }), {
      status: 400,
      body: { error: { message: /must not both be 0/ } }
    })
    t.match(await search({ fusion: { method: 'joint', normalisation: 'z-score' } }), {
      status: 400,
      body: { error: { message: /weighted/ } }
    })
    t.match(await search({ fusion: { method: 'early' } }), { status: 400 })
  })

  t.test('with the encoder, by queries of several parts', async (t) => {
    const base = '/v1/collections/colours'
    await api('PUT', base)
    const colours = ['red', 'green', 'blue', 'yellow']
    const image = async (colour: string) => ({ base64: (await solid(colour)).toString('base64') })
    const records = await Promise.all(
      colours.flatMap((colour) => [
        (async () => ({ id: `${colour} both`, text: `a ${colour} thing`, image: await image(colour) }))(),
        (async () => ({ id: `${colour} image`, image: await image(colour) }))(),
        (async () => ({ id: `${colour} text`, text: `something ${colour}` }))()
      ])
    )
    await api('POST', `${base}/records`, { records })
    const best = async (fusion: object, limit: number) => {
      const { body } = await api('POST', `${base}/search`, {
        query: [{ image: await image('blue') }, { text: 'a blue thing' }],
        target: 'record',
        fusion,
        limit
      })
      return (body.matches as Matches).map(({ id }) => id).sort()
    }
    for (const fusion of [{ method: 'rrf' }, { method: 'weighted', normalisation: 'z-score' }])
      t.same(await best(fusion, 3), ['blue both', 'blue image', 'blue text'], fusion.method)
    // A query with a picture in it is nearer to all pictures than to texts: what compares cosines puts
    // records of text alone behind.
    for (const fusion of [{ method: 'weighted' }, { method: 'joint' }])
      t.same(await best(fusion, 2), ['blue both', 'blue image'], fusion.method)
    const { body } = await api('POST', `${base}/search`, {
      query: { text: 'a green thing' },
      target: 'record',
      fusion: { method: 'joint' },
      limit: 1,
      with: ['embeddings']
    })
    const query = (await api('POST', '/v1/embeddings', { input: 'a green thing' })).body.data[0].embedding
    const [match] = body.matches
    t.ok(
      Math.abs(match.score - dot(query, joint(match.embeddings, { image: 1, text: 1 }))) < 1e-6,
      'the cosine of the query and the joint vector'
    )
  })
})
