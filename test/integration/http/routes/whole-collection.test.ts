import t, { type Test } from 'tap'
import { testServer, type Answer } from '../../../fixtures/server.js'
import { uniform } from '../../../fixtures/random.js'

const DIMENSION = 8
const COUNT = 300
const base = '/v1/collections/vectors'
const unit = (values: number[]) => values.map((value) => value / Math.hypot(...values))
const random = () => unit(Array.from({ length: DIMENSION }, () => uniform() - 0.5))
const dot = (a: number[], b: number[]) => a.reduce((sum, value, d) => sum + value * b[d], 0)
const bytesOf = (base64: string) => Uint8Array.from(Buffer.from(base64, 'base64')).buffer

t.test('a collection as a whole', async (t) => {
  const { api } = await testServer(t, { MODELS_DIR: 'test/fixtures/towers', MODELS: 'clip' })
  await api('PUT', base, { model: null, dimension: DIMENSION })
  const records = Array.from({ length: COUNT }, (_, n) => ({
    id: `r${n}`,
    metadata: {
      n,
      group: ['red', 'green', 'blue'][n % 3],
      ...(n % 2 === 0 && { tags: ['even', `by ${n % 5}`] }),
      at: `2024-01-${String(1 + (n % 28)).padStart(2, '0')}`,
      nested: { half: n < COUNT / 2 }
    },
    embeddings: { image: random(), ...(n % 10 === 0 && { text: random() }) }
  }))
  for (let start = 0; start < COUNT; start += 100)
    await api('POST', `${base}/records`, { records: records.slice(start, start + 100) })
  await api('POST', `${base}/records`, {
    records: [{ id: 'words', metadata: { group: 'red' }, embeddings: { text: random() } }]
  })
  const byId = new Map(records.map((record) => [record.id, record]))

  t.test('facets are what a recount of the listing gives', async (t) => {
    for (const filter of [undefined, { group: { $in: ['red', 'blue'] }, n: { $gte: 40 } }]) {
      const query = filter ? `&filter=${encodeURIComponent(JSON.stringify(filter))}` : ''
      const {
        body: { records }
      } = await api('GET', `${base}/records?limit=1000${query}`)
      const { status, body } = await api('GET', `${base}/facets?limit=1000${query}`)
      t.equal(status, 200)
      const recount: Record<string, Map<unknown, number>> = {}
      for (const {
        metadata: { nested, ...rest }
      } of records) {
        for (const [field, value] of Object.entries({
          ...rest,
          ...(nested && { 'nested.half': nested.half })
        })) {
          for (const item of new Set([value].flat()))
            (recount[field] ??= new Map()).set(item, (recount[field].get(item) ?? 0) + 1)
        }
      }
      t.same(body.fields.map(({ field }: { field: string }) => field).sort(), Object.keys(recount).sort())
      for (const { field, values, distinct, type } of body.fields) {
        t.same(
          new Map(values.map(({ value, records }: { value: unknown; records: number }) => [value, records])),
          recount[field],
          field
        )
        t.equal(distinct, recount[field].size)
        t.equal(type, { n: 'number', 'nested.half': 'boolean' }[field as string] ?? 'string')
      }
    }
    const { body } = await api('GET', `${base}/facets?limit=2`)
    t.match(body, {
      fields: [
        {
          field: 'group',
          records: COUNT + 1,
          distinct: 3,
          values: [
            { value: 'red', records: 101 },
            { value: 'green', records: 100 }
          ]
        }
      ],
      left_out: 0
    })
    t.match(
      body.fields.find(({ field }: { field: string }) => field === 'at'),
      { type: 'string', min: '2024-01-01', max: '2024-01-28' }
    )
    t.match(
      body.fields.find(({ field }: { field: string }) => field === 'n'),
      { distinct: COUNT, min: 0, max: COUNT - 1 }
    )
    t.match(await api('GET', `${base}/facets?filter=${encodeURIComponent('{"n":{"$near":1}}')}`), {
      status: 422,
      body: { error: { code: 'FILTER_INVALID' } }
    })
    t.match(await api('GET', `${base}/facets?limit=0`), { status: 400 })
    t.match(await api('GET', '/v1/collections/none/facets'), {
      status: 404,
      body: { error: { code: 'COLLECTION_NOT_FOUND' } }
    })
  })

  /** Checks the neighbors of a matrix against all pairs of its sample. */
  const check = (t: Test, { body }: Answer, k: number) => {
    const n = body.ids.length
    const [neighbors, similarities] = [
      new Uint32Array(bytesOf(body.neighbors)),
      new Float32Array(bytesOf(body.similarities))
    ]
    t.same([body.k, neighbors.length, similarities.length], [k, n * k, n * k])
    const vectors = body.ids.map((id: string) => byId.get(id)!.embeddings.image)
    for (let row = 0; row < n; row++) {
      const scoreOf = new Map<number, number>(
        vectors.map((vector: number[], position: number) => [position, dot(vector, vectors[row])])
      )
      scoreOf.delete(row)
      const best = [...scoreOf.values()].sort((a, b) => b - a)
      const mine = neighbors.subarray(row * k, row * k + k)
      // By their scores: rounding may turn round two that are all but equal.
      const isRight = [...mine].every(
        (position, i) =>
          Math.abs(scoreOf.get(position)! - best[i]) < 1e-5 &&
          Math.abs(similarities[row * k + i] - best[i]) < 1e-5
      )
      if (!isRight || new Set(mine).size !== k) return t.fail(`row ${row}: ${mine}`)
    }
    t.pass(`${n} rows`)
  }

  t.test('the matrix of all, of a sample, of those that pass a filter', async (t) => {
    const all = await api('POST', `${base}/search/matrix`, {
      target: 'image',
      fields: ['group', 'tags', 'nested', 'nothing']
    })
    t.match(all, { status: 200, body: { records: COUNT, took_ms: { total: Number } } })
    t.equal(all.body.ids.length, COUNT)
    check(t, all, 15)
    t.same(all.body.values, {
      group: all.body.ids.map((id: string) => byId.get(id)!.metadata.group),
      tags: all.body.ids.map((id: string) => byId.get(id)!.metadata.tags ?? null),
      nested: Array(COUNT).fill(null),
      nothing: Array(COUNT).fill(null)
    })
    const some = await api('POST', `${base}/search/matrix`, { sample: 50, neighbors: 4 })
    t.equal(new Set(some.body.ids).size, 50)
    t.equal(some.body.records, COUNT)
    t.same(some.body.values, {})
    check(t, some, 4)
    t.match(
      [some.headers.get('content-type'), some.headers.get('transfer-encoding')],
      ['application/json; charset=utf-8', 'chunked'],
      'it is written in parts'
    )
    t.same(
      (await api('POST', `${base}/search/matrix`, { sample: 50, neighbors: 4 })).body.ids,
      some.body.ids,
      'the same sample again'
    )
    const filtered = await api('POST', `${base}/search/matrix`, {
      filter: { group: 'green' },
      sample: 30,
      neighbors: 100
    })
    t.equal(filtered.body.records, 100)
    t.ok(filtered.body.ids.every((id: string) => byId.get(id)!.metadata.group === 'green'))
    check(t, filtered, 29)
    t.match((await api('POST', `${base}/search/matrix`, { target: 'text' })).body, { records: 31, k: 15 })
    t.match((await api('POST', `${base}/search/matrix`, { filter: { group: 'none' } })).body, {
      ids: [],
      neighbors: '',
      similarities: '',
      k: 0,
      records: 0
    })
    t.match((await api('POST', `${base}/search/matrix`, { filter: { n: 3 } })).body, {
      ids: ['r3'],
      neighbors: '',
      k: 0,
      records: 1
    })
    for (const wrong of [
      { sample: 0 },
      { sample: 100_001 },
      { neighbors: 101 },
      { target: 'record' },
      { fields: ['a', 'b', 'c', 'd', 'e'] },
      { what: 1 }
    ]) {
      t.match(
        await api('POST', `${base}/search/matrix`, wrong),
        { status: 400, body: { error: { code: 'INVALID_REQUEST' } } },
        JSON.stringify(wrong)
      )
    }
    t.match(await api('POST', `${base}/search/matrix`, { filter: { $x: 1 } }), { status: 422 })
    const odd = await api('POST', `${base}/search/matrix`, {
      sample: 2,
      fields: ['__proto__', 'constructor', 'nested.half']
    })
    t.match(odd, {
      status: 200,
      body: { values: { constructor: [null, null], 'nested.half': [Boolean, Boolean] } }
    })
  })

  t.test('scores are the cosines that an exact search tells', async (t) => {
    const query = [{ record: 'r7' }, { embedding: random(), weight: -0.5 }]
    const {
      body: { matches }
    } = await api('POST', `${base}/search`, { query: query.slice(1), exact: true, limit: 1000, with: [] })
    const ids = [...records.map(({ id }) => id), 'nobody', 'words', 'r3']
    const { status, body } = await api('POST', `${base}/search/scores`, { query: query.slice(1), ids })
    t.match(
      { status, body },
      { status: 200, body: { model: null, took_ms: { total: Number, search: Number } } }
    )
    const scores = new Float32Array(bytesOf(body.scores))
    t.equal(scores.length, ids.length)
    const expected = new Map(matches.map(({ id, score }: { id: string; score: number }) => [id, score]))
    t.ok(
      ids.every((id, i) =>
        expected.has(id) ? Math.abs(scores[i] - (expected.get(id) as number)) < 1e-6 : Number.isNaN(scores[i])
      )
    )
    t.equal(scores[ids.length - 1], scores[3], 'an id may be there twice')
    const text = new Float32Array(
      bytesOf(
        (
          await api('POST', `${base}/search/scores`, {
            query: { record: 'words', modality: 'text' },
            target: 'text',
            ids: ['words', 'r1', 'r10']
          })
        ).body.scores
      )
    )
    t.ok(Math.abs(text[0] - 1) < 1e-5 && Number.isNaN(text[1]) && Math.abs(text[2]) <= 1)
    t.match(await api('POST', `${base}/search/scores`, { query: { text: 'red' }, ids: ['r1'] }), {
      status: 422,
      body: { error: { code: 'COLLECTION_HAS_NO_MODEL' } }
    })
    t.match(await api('POST', `${base}/search/scores`, { query: { record: 'none' }, ids: ['r1'] }), {
      status: 404
    })
    t.match(await api('POST', `${base}/search/scores`, { query: { record: 'r1' }, ids: [] }), { status: 400 })
    t.match(
      await api('POST', `${base}/search/scores`, { query: { record: 'r1' }, target: 'record', ids: ['r1'] }),
      { status: 400 }
    )
    const many = await api('POST', `${base}/search/scores`, {
      query: { record: 'r1' },
      ids: Array.from({ length: 100_000 }, (_, n) => `an-id-of-thirty-two-characters-${n}`)
    })
    t.equal(
      new Float32Array(bytesOf(many.body.scores)).filter(Number.isNaN).length,
      100_000,
      'a hundred thousand fit the body'
    )
    t.match(
      await api('POST', `${base}/search/scores`, {
        query: { record: 'r1' },
        ids: Array.from({ length: 100_001 }, (_, n) => `${n}`)
      }),
      { status: 400 }
    )
  })

  t.test('snapshots are written at once, and shown', async (t) => {
    t.same((await api('GET', base)).body.snapshots, [])
    const { status, body } = await api('POST', `${base}/snapshot`)
    t.match(
      { status, body },
      {
        status: 200,
        body: {
          snapshots: [
            { modality: 'image', records: COUNT, bytes: Number, took_ms: Number },
            { modality: 'text', records: 31, bytes: Number, took_ms: Number }
          ]
        }
      }
    )
    const {
      body: { snapshots }
    } = await api('GET', base)
    t.same(
      snapshots.map(({ modality, bytes }: { modality: string; bytes: number }) => [modality, bytes]),
      body.snapshots.map(({ modality, bytes }: { modality: string; bytes: number }) => [modality, bytes])
    )
    t.ok(
      snapshots.every(
        (snapshot: { created_at: string }) => Date.now() - Date.parse(snapshot.created_at) < 60_000
      )
    )
    t.match(await api('POST', '/v1/collections/none/snapshot'), {
      status: 404,
      body: { error: { code: 'COLLECTION_NOT_FOUND' } }
    })
  })

  t.test('what no one waits for any more ends, and searches continue', async (t) => {
    const late = await api('POST', `${base}/search/matrix`, {}, { headers: { 'x-request-timeout': '0.001' } })
    t.ok([429, 504].includes(late.status), `${late.status}`)
    t.match(await api('POST', `${base}/search/matrix`, { sample: 5 }), { status: 200 })
  })
})
