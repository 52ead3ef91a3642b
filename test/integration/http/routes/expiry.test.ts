import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { form, golden } from '../../../fixtures/images.js'
import { testServer } from '../../../fixtures/server.js'

t.test('records that end by themselves', async (t) => {
  const { api } = await testServer(t)
  const base = '/v1/collections/things'
  const records = `${base}/records`
  await api('PUT', base)
  const upsert = async (record: object) => (await api('POST', records, { records: [record] })).body.results[0]

  t.test(
    'expires_at is shown as it was meant; an upsert without it and a PATCH with null remove it',
    async (t) => {
      t.match(await upsert({ id: 'a', text: 'x', expires_at: '2100-01-02T03:04:05.678+02:00' }), {
        status: 'created'
      })
      t.match(await api('GET', `${records}/a`), { body: { expires_at: '2100-01-02T01:04:05.678Z' } })
      t.match(await api('PATCH', `${records}/a`, { metadata: { n: 1 } }), {
        body: { expires_at: '2100-01-02T01:04:05.678Z' }
      })
      t.notHas((await api('PATCH', `${records}/a`, { expires_at: null })).body, { expires_at: String })
      const before = Date.now()
      const { body } = await api('PATCH', `${records}/a`, { ttl_seconds: 3600 })
      const end = Date.parse(body.expires_at)
      t.ok(end >= before + 3_600_000 && end <= Date.now() + 3_600_000)
      t.notHas((await api('PATCH', `${records}/a`, { ttl_seconds: null })).body, { expires_at: String })
      await api('PATCH', `${records}/a`, { ttl_seconds: 3600 })
      await upsert({ id: 'a', text: 'y' })
      t.notHas((await api('GET', `${records}/a`)).body, { expires_at: String })
    }
  )

  t.test('what is no end is rejected', async (t) => {
    for (const expires_at of [
      '2000-01-01T00:00:00Z',
      '2100-02-30T00:00:00Z',
      '2100-01-01',
      'tomorrow',
      '2100-01-01T00:00:00',
      '2100-13-01T00:00:00Z',
      ''
    ]) {
      t.match(
        await upsert({ id: 'b', text: 'x', expires_at }),
        { status: 'failed', error: { code: 'RECORD_INVALID', message: /expires_at/ } },
        expires_at
      )
    }
    t.match(await upsert({ id: 'b', text: 'x', ttl_seconds: 5, expires_at: '2100-01-01T00:00:00Z' }), {
      error: { code: 'RECORD_INVALID', message: /not both/ }
    })
    for (const ttl_seconds of [0, -1, 1.5, '5', 315_360_001])
      t.match(
        await upsert({ id: 'b', text: 'x', ttl_seconds }),
        { status: 'failed', error: { code: 'RECORD_INVALID' } },
        String(ttl_seconds)
      )
    t.match(await api('PATCH', `${records}/a`, { ttl_seconds: null, expires_at: null }), {
      status: 422,
      body: { error: { code: 'RECORD_INVALID' } }
    })
  })

  t.test('as a form, and as a line', async (t) => {
    const image = await golden('grey.png')
    t.match(
      await api(
        'POST',
        records,
        form([
          ['image', image],
          ['id', 'f'],
          ['ttl_seconds', '60']
        ])
      ),
      { body: { results: [{ status: 'created' }] } }
    )
    t.ok((await api('GET', `${records}/f`)).body.expires_at)
    t.match(
      await api(
        'POST',
        records,
        form([
          ['image', image],
          ['id', 'f'],
          ['expires_at', '2100-01-01T00:00:00Z']
        ])
      ),
      { body: { results: [{ status: 'updated' }] } }
    )
    t.match(await api('GET', `${records}/f`), { body: { expires_at: '2100-01-01T00:00:00.000Z' } })
    t.match(
      await api(
        'POST',
        records,
        form([
          ['image', image],
          ['id', 'f'],
          ['ttl_seconds', 'soon']
        ])
      ),
      { status: 200, body: { results: [{ status: 'failed', error: { code: 'RECORD_INVALID' } }] } }
    )
    const lines = '{"id":"l","text":"x","ttl_seconds":60}\n{"id":"m","text":"x","expires_at":"never"}'
    const { body } = await api('POST', `${records}/bulk`, lines, {
      headers: { 'content-type': 'application/x-ndjson' }
    })
    t.match(
      body
        .trim()
        .split('\n')
        .map((line: string) => JSON.parse(line)),
      [{ status: 'created' }, { status: 'failed', error: { code: 'RECORD_INVALID' } }]
    )
    t.ok((await api('GET', `${records}/l`)).body.expires_at)
  })

  t.test('once it has ended it is nowhere', async (t) => {
    const image = { base64: (await golden('portrait.jpg')).toString('base64') }
    await upsert({ id: 'end', text: 'a passing thing', image, metadata: { passing: true }, ttl_seconds: 2 })
    const search = async (more: object) =>
      (
        await api('POST', `${base}/search`, { query: { text: 'a passing thing' }, limit: 100, ...more })
      ).body.matches.map(({ id }: { id: string }) => id)
    t.ok((await search({ target: 'text' })).includes('end'))
    const {
      body: { expires_at: end }
    } = await api('GET', `${records}/end`)
    await sleep(Date.parse(end) - Date.now() + 2)
    t.match(await api('GET', `${records}/end`), { status: 404 })
    t.match(await api('GET', `${records}/end/image`), { status: 404 })
    t.match(await api('PATCH', `${records}/end`, { metadata: {} }), { status: 404 })
    t.match(await api('POST', `${base}/search`, { query: { record: 'end' } }), { status: 404 })
    for (const more of [
      { target: 'text' },
      { target: 'image' },
      { target: 'record' },
      { target: 'text', exact: true },
      { target: 'text', filter: { passing: true } }
    ])
      t.notOk((await search(more)).includes('end'), JSON.stringify(more))
    t.notOk((await api('GET', records)).body.records.some(({ id }: { id: string }) => id === 'end'))
    t.match(await api('DELETE', `${records}/end`), { status: 404 })
    t.match(await upsert({ id: 'end', text: 'again' }), { status: 'created' })
  })
})

t.test('embeddings as base64 of float32 values', async (t) => {
  const { api } = await testServer(t)
  const base = '/v1/collections/own'
  await api('PUT', base, { model: null, dimension: 4 })
  const encode = (...values: number[]) => Buffer.from(Float32Array.from(values).buffer).toString('base64')
  const upsert = async (id: string, image: unknown) =>
    (await api('POST', `${base}/records`, { records: [{ id, embeddings: { image } }] })).body.results?.[0]
  t.match(await upsert('numbers', [3, 0, 4, 0]), { status: 'created' })
  t.match(await upsert('text', encode(3, 0, 4, 0)), { status: 'created' })
  const { body } = await api('POST', `${base}/search`, {
    query: { embedding: [3, 0, 4, 0] },
    with: ['embeddings']
  })
  const [a, b] = body.matches
  t.equal(a.score, b.score)
  t.same(a.embeddings, b.embeddings)
  t.ok(a.score > 0.99999)
  const wrong = {
    'of another dimension': encode(1, 2, 3),
    'of half a value': Buffer.alloc(15, 1).toString('base64'),
    'no base64': '!!!!',
    'without padding': encode(1, 2, 3, 4).replace(/=+$/, ''),
    empty: '',
    zeros: encode(0, 0, 0, 0),
    'not a number': encode(1, NaN, 0, 0),
    infinite: encode(1, Infinity, 0, 0)
  }
  for (const [what, image] of Object.entries(wrong))
    t.match(await upsert('wrong', image), { status: 'failed', error: { code: 'EMBEDDING_INVALID' } }, what)
  t.match(await api('PATCH', `${base}/records/numbers`, { embeddings: { image: encode(0, 1, 0, 0) } }), {
    status: 200
  })
  t.match(await api('POST', `${base}/search`, { query: { embedding: [0, 1, 0, 0] }, limit: 1 }), {
    body: { matches: [{ id: 'numbers' }] }
  })
})
