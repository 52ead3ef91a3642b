import { createHash } from 'node:crypto'
import sharp from 'sharp'
import t from 'tap'
import { form, golden, solid } from '../../../fixtures/images.js'
import { testServer } from '../../../fixtures/server.js'

t.test('records over HTTP', async (t) => {
  const { api, url } = await testServer(t)
  await api('PUT', '/v1/collections/things')
  const records = '/v1/collections/things/records'
  const portrait = await golden('portrait.jpg')
  const base64 = portrait.toString('base64')

  t.test('JSON: image, text, both, ids made up; show them', async (t) => {
    const { status, body } = await api('POST', records, {
      records: [
        { id: 'both', text: 'a portrait', image: { base64 }, metadata: { year: 1999, tags: ['x'] } },
        { id: 'text', text: 'words' },
        { image: { base64: `data:image/jpeg;base64,${base64}` } }
      ]
    })
    t.equal(status, 200)
    t.match(body.results, [
      { id: 'both', status: 'created' },
      { id: 'text', status: 'created' },
      { id: /^[0-9a-f-]{36}$/, status: 'created' }
    ])
    t.match(await api('GET', `${records}/both`), {
      status: 200,
      body: {
        id: 'both',
        text: 'a portrait',
        metadata: { year: 1999, tags: ['x'] },
        modalities: ['image', 'text'],
        image_url: `${records}/both/image`,
        created_at: /Z$/
      }
    })
    t.match(await api('GET', `${records}/text`), {
      body: { modalities: ['text'], image_url: null, metadata: null }
    })
    t.match(await api('POST', records, { records: [{ id: 'text', text: 'other words' }] }), {
      body: { results: [{ status: 'updated' }] }
    })
    t.match(await api('GET', '/v1/collections/things'), { body: { records: 3, images: 2, texts: 2 } })
  })

  t.test('a form of one record, of several, of text alone', async (t) => {
    const one = await api(
      'POST',
      records,
      form([
        ['image', portrait],
        ['id', 'f1'],
        ['text', 'naïve 🐶'],
        ['metadata', '{"a":{"b":[1]}}']
      ])
    )
    t.match(one, { status: 200, body: { results: [{ id: 'f1', status: 'created' }] } })
    t.match(await api('GET', `${records}/f1`), { body: { text: 'naïve 🐶', metadata: { a: { b: [1] } } } })
    const several = await api(
      'POST',
      records,
      form([
        ['image', portrait],
        ['image', await golden('grey.png')],
        ['id', 'f2'],
        ['id', 'f3']
      ])
    )
    t.match(several, { status: 200, body: { results: [{ id: 'f2' }, { id: 'f3' }] } })
    t.match(await api('POST', records, form([['text', 'alone']])), {
      status: 200,
      body: { results: [{ status: 'created' }] }
    })
    t.match(
      await api(
        'POST',
        records,
        form([
          ['image', portrait],
          ['image', portrait],
          ['id', 'x']
        ])
      ),
      { status: 400, body: { error: { message: /'id' appears 1 times, for 2/ } } }
    )
    t.match(
      await api(
        'POST',
        records,
        form([
          ['image', portrait],
          ['metadata', '{a:1}']
        ])
      ),
      {
        status: 200,
        body: {
          results: [
            {
              id: null,
              status: 'failed',
              error: { code: 'RECORD_INVALID', message: /'metadata' is not JSON/ }
            }
          ]
        }
      }
    )
    t.match(await api('POST', records, form([['picture', portrait]])), {
      status: 400,
      body: { error: { message: /'picture'/ } }
    })
    t.match(
      await api(
        'POST',
        records,
        form([
          ['colour', 'red'],
          ['text', 'x']
        ])
      ),
      { status: 400 }
    )
    t.match(await api('POST', records, new FormData()), { status: 400 })
  })

  t.test('one bad record fails alone', async (t) => {
    const long = 'é'.repeat(128)
    const { status, body } = await api('POST', records, {
      records: [
        { id: 'good', image: { base64 } },
        { id: 'no image', image: { base64: Buffer.from('hello').toString('base64') } },
        { id: 'no base64', image: { base64: '!!!' } },
        { id: 'empty', image: { base64: '' } },
        { id: 'nothing', metadata: { a: 1 } },
        { id: 'url', image: { url: 'http://example.com/a.png' } },
        { id: 'blank', text: '  ' },
        { id: 'long text', text: 'a'.repeat(8001) },
        { id: long, text: 'the id has 256 bytes' },
        { id: 'surrogate', text: 'half \ud800' },
        { id: 'metadata', text: 'x', metadata: { blob: 'a'.repeat(70_000) } },
        { id: 'good too', text: 'fine' }
      ]
    })
    t.equal(status, 200)
    t.same(
      body.results.map(({ id, status, error }: { id: string; status: string; error?: { code: string } }) => [
        id,
        error?.code ?? status
      ]),
      [
        ['good', 'created'],
        ['no image', 'IMAGE_UNSUPPORTED'],
        ['no base64', 'IMAGE_INVALID'],
        ['empty', 'IMAGE_INVALID'],
        ['nothing', 'RECORD_INVALID'],
        ['url', 'IMAGE_URLS_DISABLED'],
        ['blank', 'RECORD_INVALID'],
        ['long text', 'TEXT_INVALID'],
        [long, 'RECORD_INVALID'],
        ['surrogate', 'RECORD_INVALID'],
        ['metadata', 'RECORD_INVALID'],
        ['good too', 'created']
      ]
    )
    t.match(await api('GET', `${records}/nothing`), { status: 404 })
    t.match(await api('GET', `${records}/good%20too`), { status: 200 })
  })

  t.test('ids of all kinds find their way through a path', async (t) => {
    for (const id of ['a/b', '#1', '...', '100%', 'ünï', 'a b?c=d', '日本', 'x'.repeat(255)]) {
      t.match(
        await api('POST', records, { records: [{ id, text: 'odd' }] }),
        { body: { results: [{ id, status: 'created' }] } },
        id
      )
      t.match(await api('GET', `${records}/${encodeURIComponent(id)}`), { status: 200, body: { id } }, id)
      t.match(await api('DELETE', `${records}/${encodeURIComponent(id)}`), { status: 204 }, id)
      t.match(
        await api('DELETE', `${records}/${encodeURIComponent(id)}`),
        { status: 404, body: { error: { code: 'RECORD_NOT_FOUND' } } },
        id
      )
    }
    // The URL standard folds dot segments away before they are sent, percent-encoded or not.
    for (const id of ['.', '..'])
      t.match(
        await api('POST', records, { records: [{ id, text: 'odd' }] }),
        { body: { results: [{ status: 'failed', error: { code: 'RECORD_INVALID' } }] } },
        id
      )
    for (const id of ['', 'a\nb', 'x'.repeat(256)])
      t.match(
        await api('POST', records, { records: [{ id, text: 'odd' }] }),
        { body: { results: [{ status: 'failed', error: { code: 'RECORD_INVALID', message: /'id'/ } }] } },
        JSON.stringify(id)
      )
  })

  t.test('wrong shapes are rejected whole', async (t) => {
    for (const body of [
      {},
      { records: [] },
      { records: {} },
      [],
      { records: [{ text: 'x' }], extra: 1 },
      { records: Array(257).fill({ text: 'x' }) }
    ]) {
      t.match(
        await api('POST', records, body),
        { status: 400, body: { error: { code: 'INVALID_REQUEST' } } },
        JSON.stringify(body).slice(0, 60)
      )
    }
    t.match(
      await api('POST', records, '{"records": [', { headers: { 'content-type': 'application/json' } }),
      { status: 400 }
    )
    t.match(
      await api('POST', records, Buffer.from([0x22, 0xff, 0x22]), {
        headers: { 'content-type': 'application/json' }
      }),
      { status: 400, body: { error: { message: /UTF-8/ } } }
    )
    t.match(await api('POST', records, 'text', { headers: { 'content-type': 'text/plain' } }), {
      status: 415,
      body: { error: { code: 'MEDIA_TYPE_UNSUPPORTED' } }
    })
    t.match(await api('POST', '/v1/collections/nowhere/records', { records: [{ text: 'x' }] }), {
      status: 404,
      body: { error: { code: 'COLLECTION_NOT_FOUND' } }
    })
  })

  t.test('a misshapen record fails alone, and its field is named', async (t) => {
    const wrong: [unknown, string | null, string][] = [
      [5, null, 'The record must be an object, not 5.'],
      [null, null, 'The record must be an object, not null.'],
      [{ id: 5, text: 'x' }, null, "The field 'id' must be a string, not 5."],
      [{ id: 'a', text: 1 }, 'a', "The field 'text' must be a string, not 1."],
      [{ id: 'b', text: 'x', metdata: {} }, 'b', "The field 'metdata' is unknown: did you mean 'metadata'?"],
      [{ id: 'c', metadata: [], text: 'x' }, 'c', "The field 'metadata' must be an object, not a list."],
      [{ id: 'd', image: {} }, 'd', "The field 'image' needs exactly one of base64, url."],
      [
        { id: 'e', image: { base64: 'a', url: 'b' } },
        'e',
        "The field 'image' needs exactly one of base64, url."
      ],
      [{ id: 'f', image: 'aGVsbG8=' }, 'f', "The field 'image' must be an object, not 'aGVsbG8='."],
      [
        { id: 'g', embeddings: { picture: [1] } },
        'g',
        "The field 'embeddings.picture' is unknown: the fields are image, text."
      ],
      [
        { id: 'h', text: 'x', ttl_seconds: '5' },
        'h',
        "The field 'ttl_seconds' must be a whole number, not '5'."
      ],
      [
        { id: 'i', text: 'x', metadata: { sizes: [1, 9007199254740993] } },
        'i',
        "metadata.sizes[1] is a number beyond 9007199254740991 (2^53 - 1), which can't be stored " +
          'exactly; send it as a string.'
      ]
    ]
    const sent = [
      { id: 'fine', text: 'x' },
      ...wrong.map(([record]) => record),
      {
        id: 'fine too',
        text: null,
        metadata: null,
        ttl_seconds: null,
        expires_at: null,
        embeddings: null,
        image: { base64, url: null }
      }
    ]
    const expected = wrong.map(([, id, message]) => ({
      id,
      status: 'failed',
      error: { code: 'RECORD_INVALID', message }
    }))
    const { status, body } = await api('POST', records, { records: sent })
    t.same(
      [status, body.results],
      [200, [{ id: 'fine', status: 'created' }, ...expected, { id: 'fine too', status: 'created' }]]
    )
    const lines = await api(
      'POST',
      `${records}/bulk`,
      sent.map((record) => JSON.stringify(record)).join('\n'),
      { headers: { 'content-type': 'application/x-ndjson' } }
    )
    const answers = lines.body
      .trim()
      .split('\n')
      .map((line: string) => JSON.parse(line))
    t.same(
      answers,
      [{ id: 'fine', status: 'updated' }, ...expected, { id: 'fine too', status: 'updated' }].map(
        (result, i) => ({ line: i + 1, ...result })
      )
    )
    t.match(await api('GET', `${records}/fine%20too`), {
      body: { text: null, metadata: null, modalities: ['image'] }
    })
  })

  t.test('a row of a form fails alone', async (t) => {
    const rows: [string, string, string][] = [
      ['r1', 'one', '{"a":1}'],
      ['r2', 'two', '{a:1}'],
      ['r3', 'three', ''],
      ['', 'four', '[]'],
      ['r5', 'five', '{"n":1e300}']
    ]
    const { body } = await api(
      'POST',
      records,
      form(
        rows.flatMap(
          ([id, text, metadata]) =>
            [
              ['id', id],
              ['text', text],
              ['metadata', metadata]
            ] as [string, string][]
        )
      )
    )
    t.match(body.results, [
      { id: 'r1', status: 'created' },
      { id: 'r2', status: 'failed', error: { code: 'RECORD_INVALID', message: /'metadata' is not JSON/ } },
      { id: 'r3', status: 'created' },
      {
        id: null,
        status: 'failed',
        error: { message: "The field 'metadata' must be an object, not a list." }
      },
      { id: 'r5', status: 'failed', error: { message: /metadata\.n is a number beyond/ } }
    ])
    t.match(
      await api(
        'POST',
        records,
        form([
          ['metdata', '{}'],
          ['text', 'x']
        ])
      ),
      {
        status: 400,
        body: { error: { message: "The form field 'metdata' is unknown: did you mean 'metadata'?" } }
      }
    )
  })

  t.test('a record as GET shows it can be sent again, with its image', async (t) => {
    const later = new Date(Date.now() + 86_400_000).toISOString()
    await api('POST', records, {
      records: [
        { id: 'again 1', text: 'a portrait', image: { base64 }, metadata: { a: 1 }, expires_at: later },
        { id: 'again-2', text: 'words' }
      ]
    })
    const shown = await Promise.all(
      ['again%201', 'again-2'].map(async (id) => (await api('GET', `${records}/${id}`)).body)
    )
    const embedding = async () =>
      (
        await api('POST', '/v1/collections/things/search', {
          query: { record: 'again 1' },
          filter: { a: 1 },
          with: ['embeddings'],
          target: 'image'
        })
      ).body
    const before = await embedding()
    t.match((await api('POST', records, { records: shown })).body, {
      results: [
        { id: 'again 1', status: 'updated' },
        { id: 'again-2', status: 'updated' }
      ]
    })
    const after = await Promise.all(
      ['again%201', 'again-2'].map(async (id) => (await api('GET', `${records}/${id}`)).body)
    )
    const lasting = (record: object) => ({ ...record, updated_at: '' })
    t.same(after.map(lasting), shown.map(lasting))
    t.same((await embedding()).matches, before.matches)
    const image = await fetch(`${url}${records}/again%201/image`)
    t.equal(Buffer.from(await image.arrayBuffer()).toString('base64'), base64)
    const lines = await api(
      'POST',
      `${records}/bulk`,
      shown.map((record) => JSON.stringify(record)).join('\n'),
      { headers: { 'content-type': 'application/x-ndjson' } }
    )
    t.notMatch(lines.body, /failed/)
    t.match(await api('GET', `${records}/again%201`), { body: { modalities: ['image', 'text'] } })
    const copy = await api('POST', records, { records: [{ ...shown[0], id: 'copy' }] })
    t.match(copy.body, { results: [{ id: 'copy', status: 'created' }] })
    t.match((await api('GET', `${records}/copy`)).body, {
      image_url: `${records}/copy/image`,
      modalities: ['image', 'text']
    })
  })

  t.test('an image that is not kept is not lost silently', async (t) => {
    const failed = async (record: object) =>
      (await api('POST', records, { records: [record] })).body.results[0].error
    t.match(await failed({ id: 'x', text: 'x', image_url: 'https://example.com/a.png' }), {
      code: 'RECORD_INVALID',
      message: /image_url must be the path of an image/
    })
    t.match(await failed({ id: 'x', text: 'x', image_url: `${records}/nobody/image` }), {
      code: 'IMAGE_NOT_KEPT'
    })
    t.match(await failed({ id: 'x', text: 'x', image_url: null, modalities: ['image', 'text'] }), {
      code: 'RECORD_INVALID',
      message: /lists the modality 'image', but has neither image/
    })
  })

  t.test('numbers that would change are rejected by PATCH, too', async (t) => {
    await api('POST', records, {
      records: [{ id: 'exact', text: 'x', metadata: { n: Number.MAX_SAFE_INTEGER } }]
    })
    t.match(await api('PATCH', `${records}/exact`, { metadata: { m: { deep: -9007199254740993 } } }), {
      status: 422,
      body: { error: { code: 'RECORD_INVALID', message: /^metadata\.m\.deep is a number beyond/ } }
    })
    t.match(await api('PATCH', `${records}/exact`, { metdata: {} }), {
      status: 400,
      body: { error: { message: "The field 'metdata' is unknown: did you mean 'metadata'?" } }
    })
    t.match(await api('GET', `${records}/exact`), { body: { metadata: { n: Number.MAX_SAFE_INTEGER } } })
  })

  t.test('4,001 emoji are 4,001 characters', async (t) => {
    const { body } = await api('POST', records, {
      records: [
        { id: 'emoji', text: '🍎'.repeat(4001) },
        { id: 'more', text: '🍎'.repeat(8001) }
      ]
    })
    t.match(body.results, [
      { id: 'emoji', status: 'created' },
      { error: { code: 'TEXT_INVALID', message: 'The text has 8001 characters; at most 8000 are allowed.' } }
    ])
  })

  t.test('the kept image comes back as it was sent, safely', async (t) => {
    await api('POST', records, {
      records: [
        { id: 'kept', image: { base64 } },
        { id: 'words', text: 'x' }
      ]
    })
    const response = await fetch(`${url}${records}/kept/image`)
    t.match(response.headers.get('content-type'), 'image/jpeg')
    t.equal(response.headers.get('x-content-type-options'), 'nosniff')
    t.match(response.headers.get('content-security-policy'), /sandbox/)
    const digest = createHash('sha256').update(portrait).digest('hex')
    t.equal(
      createHash('sha256')
        .update(Buffer.from(await response.arrayBuffer()))
        .digest('hex'),
      digest
    )
    const etag = response.headers.get('etag')!
    t.equal(etag, `"${digest}"`)
    t.match(await api('GET', `${records}/kept/image`, undefined, { headers: { 'if-none-match': etag } }), {
      status: 304
    })
    t.match(await api('GET', `${records}/words/image`), {
      status: 404,
      body: { error: { code: 'IMAGE_NOT_KEPT' } }
    })
    t.match(await api('GET', `${records}/nobody/image`), {
      status: 404,
      body: { error: { code: 'RECORD_NOT_FOUND' } }
    })
  })

  t.test('thumbnails and nothing are kept where that is asked for', async (t) => {
    await api('PUT', '/v1/collections/small', { storage: 'thumbnail' })
    await api('PUT', '/v1/collections/none', { storage: 'none' })
    const wide = { base64: (await solid('#00aa00', { width: 800, height: 200 })).toString('base64') }
    for (const name of ['small', 'none'])
      t.match(await api('POST', `/v1/collections/${name}/records`, { records: [{ id: 'a', image: wide }] }), {
        body: { results: [{ status: 'created' }] }
      })
    const response = await fetch(`${url}/v1/collections/small/records/a/image`)
    t.match(await sharp(Buffer.from(await response.arrayBuffer())).metadata(), {
      format: 'webp',
      width: 320,
      height: 80
    })
    t.match(await api('GET', '/v1/collections/none/records/a'), {
      body: { image_url: null, modalities: ['image'] }
    })
    t.match(await api('GET', '/v1/collections/none'), { body: { bytes: 256 * 4 } })
  })

  t.test('a client that goes away leaves no half of its request', async (t) => {
    const controller = new AbortController()
    const many = {
      records: await Promise.all(
        Array.from({ length: 60 }, async (_, i) => ({
          id: `gone-${i}`,
          image: { base64: (await solid(`rgb(1,2,${i})`)).toString('base64') }
        }))
      )
    }
    const call = api('POST', records, many, { signal: controller.signal })
    setTimeout(() => controller.abort(), 150)
    await t.rejects(call)
    await new Promise((resolve) => setTimeout(resolve, 300))
    const found = await Promise.all(many.records.map(({ id }) => api('GET', `${records}/${id}`)))
    const there = found.filter(({ status }) => status === 200).length
    t.ok(there === 0 || there === 60, `${there} of 60 are there`)
    t.match(await api('GET', '/health/live'), { status: 200 })
  })
})
