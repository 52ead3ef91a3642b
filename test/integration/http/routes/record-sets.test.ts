import t from 'tap'
import { solid } from '../../../fixtures/images.js'
import { client, testServer } from '../../../fixtures/server.js'

t.test('records in numbers', async (t) => {
  const { api, url } = await testServer(t)
  const base = '/v1/collections/things'
  await api('PUT', base)
  const bulk = (text: string) =>
    api('POST', `${base}/records/bulk`, text, { headers: { 'content-type': 'application/x-ndjson' } })
  const lines = ({ body }: { body: string }) =>
    body
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))

  t.test('bulk: a line in, a line out, in order; what is wrong fails alone', async (t) => {
    const records = Array.from({ length: 300 }, (_, n) =>
      JSON.stringify({
        id: `r${String(n).padStart(3, '0')}`,
        text: `number ${n}`,
        metadata: { n, even: n % 2 === 0 }
      })
    )
    const answer = await bulk(
      [
        ...records,
        'no json',
        '',
        '{"id": 5}',
        '{"text":"x","extra":1}',
        '{"id":"bad","image":{"base64":"aGVsbG8="}}',
        '{"text":"made up id"}'
      ].join('\n')
    )
    t.equal(answer.status, 200)
    t.match(answer.headers.get('content-type'), 'application/x-ndjson')
    const results = lines(answer)
    t.equal(results.length, 305)
    t.same(
      results.slice(0, 300).map(({ line, id, status }) => [line, id, status]),
      records.map((_, n) => [n + 1, `r${String(n).padStart(3, '0')}`, 'created'])
    )
    t.match(results.slice(300), [
      { line: 301, id: null, status: 'failed', error: { code: 'INVALID_REQUEST', message: /not JSON/ } },
      { line: 303, status: 'failed', error: { message: /id/ } },
      { line: 304, status: 'failed', error: { message: /'extra' is unknown/ } },
      { line: 305, id: 'bad', status: 'failed', error: { code: 'IMAGE_UNSUPPORTED' } },
      { line: 306, id: /.{36}/, status: 'created' }
    ])
    await api('POST', `${base}/records/delete`, { ids: [results[304].id] })
  })

  t.test('bulk: answers come while lines are still sent', async (t) => {
    const batch = Array.from({ length: 64 }, (_, n) => `{"id":"s${n}","text":"streamed ${n}"}\n`).join('')
    let answered!: () => void
    const firstAnswer = new Promise<void>((resolve) => (answered = resolve))
    async function* sent() {
      yield Buffer.from(batch)
      await firstAnswer
      yield Buffer.from('{"id":"last","text":"after the first answers"}\n')
    }
    const response = await fetch(`${url}${base}/records/bulk`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: sent(),
      duplex: 'half'
    } as unknown as RequestInit)
    let text = ''
    for await (const chunk of response.body!) {
      text += Buffer.from(chunk).toString()
      answered()
    }
    t.equal(lines({ body: text }).length, 65)
    await api('POST', `${base}/records/delete`, {
      ids: [...Array.from({ length: 64 }, (_, n) => `s${n}`), 'last']
    })
  })

  t.test('bulk: a byte order mark at the start of a line is passed over', async (t) => {
    const text =
      '\ufeff{"id":"bom1","text":"one"}\n{"id":"bom2","text":"two"}\n' +
      '\ufeff{"id":"bom3","text":"three"}\n\ufeff\n'
    t.match(lines(await bulk(text)), [
      { id: 'bom1', status: 'created' },
      { id: 'bom2', status: 'created' },
      { id: 'bom3', status: 'created' }
    ])
    const latin = await bulk(Buffer.from('{"id":"l1","text":"caf\u00e9"}\n', 'latin1') as unknown as string)
    t.match(lines(latin), [
      { line: 1, id: null, status: 'failed', error: { message: 'The line is not UTF-8; send it in UTF-8.' } }
    ])
    await api('POST', `${base}/records/delete`, { ids: ['bom1', 'bom2', 'bom3'] })
  })

  t.test('bulk: no lines, an unknown collection, another type', async (t) => {
    t.match(await bulk('\n\n'), { status: 200, body: '' })
    t.match(
      await api('POST', '/v1/collections/nowhere/records/bulk', '{}', {
        headers: { 'content-type': 'application/x-ndjson' }
      }),
      { status: 404 }
    )
    t.match(await api('POST', `${base}/records/bulk`, { id: 'a' }), {
      status: 415,
      body: { error: { code: 'MEDIA_TYPE_UNSUPPORTED', message: /x-ndjson/ } }
    })
    t.match(await api('GET', base), { body: { records: 300 } })
  })

  t.test('listing: pages in the order of ids, all there once, and by filter', async (t) => {
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const { status, body } = await api(
        'GET',
        `${base}/records?limit=70${cursor ? `&cursor=${cursor}` : ''}`
      )
      t.equal(status, 200)
      seen.push(...body.records.map(({ id }: { id: string }) => id))
      cursor = body.next_cursor
    } while (cursor)
    t.same(
      seen,
      Array.from({ length: 300 }, (_, n) => `r${String(n).padStart(3, '0')}`)
    )
    const filtered = await api(
      'GET',
      `${base}/records?limit=1000&filter=${encodeURIComponent('{"even":true,"n":{"$lt":10}}')}`
    )
    t.same(
      filtered.body.records.map(({ metadata }: { metadata: { n: number } }) => metadata.n),
      [0, 2, 4, 6, 8]
    )
    t.equal(filtered.body.next_cursor, null)
    t.match(filtered.body.records[0], { id: 'r000', text: 'number 0', modalities: ['text'], image_url: null })
    for (const query of ['?limit=0', '?limit=1001', '?cursor=%21', '?filter=5', '?filter=%7B', '?other=1'])
      t.ok([400, 422].includes((await api('GET', `${base}/records${query}`)).status), query)
  })

  t.test('patch: what is named changes, null removes, metadata merges', async (t) => {
    const path = `${base}/records/patched`
    const image = { base64: (await solid('red')).toString('base64') }
    await api('POST', `${base}/records`, {
      records: [{ id: 'patched', text: 'before', metadata: { keep: 1, drop: 2, deep: { a: 1, b: 2 } } }]
    })
    t.match(await api('PATCH', path, { metadata: { drop: null, add: 3, deep: { b: 5 } } }), {
      status: 200,
      body: { text: 'before', metadata: { keep: 1, add: 3, deep: { a: 1, b: 5 } }, modalities: ['text'] }
    })
    t.equal((await api('GET', path)).body.metadata.drop, undefined)
    t.match(
      await api('GET', `${base}/records?filter=${encodeURIComponent('{"add":3}')}`),
      { body: { records: [{ id: 'patched' }] } },
      'filters see it'
    )
    t.match(await api('PATCH', path, { image }), {
      status: 200,
      body: { modalities: ['image', 'text'], image_url: /image$/ }
    })
    t.match(await api('PATCH', path, { text: 'a red square, all red' }), {
      status: 200,
      body: { text: 'a red square, all red', modalities: ['image', 'text'] }
    })
    const { body } = await api('POST', `${base}/search`, {
      query: { text: 'a red square, all red' },
      target: 'text',
      limit: 1
    })
    t.equal(body.matches[0].id, 'patched', 'its new text is what is searched')
    t.match(await api('PATCH', path, { text: null }), {
      status: 200,
      body: { text: null, modalities: ['image'] }
    })
    t.match(
      await api('PATCH', path, { image: null }),
      { status: 422, body: { error: { code: 'RECORD_INVALID' } } },
      'something must be left'
    )
    t.match(
      await api('GET', path),
      { body: { modalities: ['image'], image_url: /image$/ } },
      'and it is as it was'
    )
    t.match(await api('PATCH', path, { metadata: null }), { status: 200, body: { metadata: null } })
    t.match(await api('PATCH', `${base}/records/nobody`, { text: 'x' }), {
      status: 404,
      body: { error: { code: 'RECORD_NOT_FOUND' } }
    })
    for (const wrong of [{}, { colour: 'red' }, { text: 5 }])
      t.match(await api('PATCH', path, wrong), { status: 400 })
    t.match(await api('PATCH', path, { text: ' ' }), { status: 422 })
    t.match(await api('PATCH', path, { image: { base64: 'aGVsbG8=' } }), { status: 415 })
    t.match(await api('PATCH', path, { metadata: { big: 'a'.repeat(70_000) } }), { status: 422 })
    await api('DELETE', path)
  })

  t.test('patches at once are all merged', async (t) => {
    await api('POST', `${base}/records`, { records: [{ id: 'patched', text: 'x' }] })
    await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        client(url)('PATCH', `${base}/records/patched`, { metadata: { [`k${n}`]: n } })
      )
    )
    t.equal(Object.keys((await api('GET', `${base}/records/patched`)).body.metadata).length, 20)
    await api('DELETE', `${base}/records/patched`)
  })

  t.test('deleting by ids and by filter', async (t) => {
    t.match(await api('POST', `${base}/records/delete`, { ids: ['r000', 'r001', 'nobody'] }), {
      status: 200,
      body: { deleted: 2 }
    })
    t.match(await api('POST', `${base}/records/delete`, { filter: { n: { $gte: 100 } } }), {
      status: 200,
      body: { deleted: 200 }
    })
    t.match(await api('GET', base), { body: { records: 98, texts: 98 } })
    t.match(
      await api('POST', `${base}/search`, { query: { text: 'number 250' }, target: 'text', limit: 200 }),
      { body: { matches: { length: 98 } } }
    )
    t.match(
      await api('POST', `${base}/records/delete`, { filter: { $and: [{}] } }),
      { status: 422 },
      'no way round'
    )
    for (const wrong of [{}, { filter: {} }, { ids: [] }, { ids: ['a'], filter: { n: 1 } }])
      t.match(await api('POST', `${base}/records/delete`, wrong), { status: 400 }, JSON.stringify(wrong))
    t.match(await api('POST', `${base}/records/delete`, { filter: { $bad: 1 } }), { status: 422 })
    t.match(await api('GET', base), { body: { records: 98 } })
  })
})
