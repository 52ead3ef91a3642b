import { createHash } from 'node:crypto'
import sharp from 'sharp'
import t from 'tap'
import { form, golden, solid } from '../fixtures/images.js'
import { testServer } from '../fixtures/server.js'

t.test('records over HTTP', async (t) => {
  const { api, url } = await testServer(t)
  await api('PUT', '/v1/collections/things')
  const records = '/v1/collections/things/records'
  const portrait = await golden('portrait.jpg')
  const base64 = portrait.toString('base64')

  t.test('JSON: image, text, both, ids made up; show them', async (t) => {
    const { status, body } = await api('POST', records, {
      records: [{ id: 'both', text: 'a portrait', image: { base64 }, metadata: { year: 1999, tags: ['x'] } }, { id: 'text', text: 'words' }, { image: { base64: `data:image/jpeg;base64,${base64}` } }]
    })
    t.equal(status, 200)
    t.match(body.results, [{ id: 'both', status: 'created' }, { id: 'text', status: 'created' }, { id: /^[0-9a-f-]{36}$/, status: 'created' }])
    t.match(await api('GET', `${records}/both`), { status: 200, body: { id: 'both', text: 'a portrait', metadata: { year: 1999, tags: ['x'] }, modalities: ['image', 'text'], image_url: `${records}/both/image`, created_at: /Z$/ } })
    t.match(await api('GET', `${records}/text`), { body: { modalities: ['text'], image_url: null, metadata: null } })
    t.match(await api('POST', records, { records: [{ id: 'text', text: 'other words' }] }), { body: { results: [{ status: 'updated' }] } })
    t.match(await api('GET', '/v1/collections/things'), { body: { records: 3, images: 2, texts: 2 } })
  })

  t.test('a form of one record, of several, of text alone', async (t) => {
    const one = await api('POST', records, form([['image', portrait], ['id', 'f1'], ['text', 'naïve 🐶'], ['metadata', '{"a":{"b":[1]}}']]))
    t.match(one, { status: 200, body: { results: [{ id: 'f1', status: 'created' }] } })
    t.match(await api('GET', `${records}/f1`), { body: { text: 'naïve 🐶', metadata: { a: { b: [1] } } } })
    const several = await api('POST', records, form([['image', portrait], ['image', await golden('grey.png')], ['id', 'f2'], ['id', 'f3']]))
    t.match(several, { status: 200, body: { results: [{ id: 'f2' }, { id: 'f3' }] } })
    t.match(await api('POST', records, form([['text', 'alone']])), { status: 200, body: { results: [{ status: 'created' }] } })
    t.match(await api('POST', records, form([['image', portrait], ['image', portrait], ['id', 'x']])), { status: 400, body: { error: { message: /'id' is there 1 times, for 2/ } } })
    t.match(await api('POST', records, form([['image', portrait], ['metadata', '{a:1}']])), { status: 400, body: { error: { message: /'metadata' is not JSON/ } } })
    t.match(await api('POST', records, form([['picture', portrait]])), { status: 400, body: { error: { message: /'picture'/ } } })
    t.match(await api('POST', records, form([['colour', 'red'], ['text', 'x']])), { status: 400 })
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
      body.results.map(({ id, status, error }: { id: string; status: string; error?: { code: string } }) => [id, error?.code ?? status]),
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
      t.match(await api('POST', records, { records: [{ id, text: 'odd' }] }), { body: { results: [{ id, status: 'created' }] } }, id)
      t.match(await api('GET', `${records}/${encodeURIComponent(id)}`), { status: 200, body: { id } }, id)
      t.match(await api('DELETE', `${records}/${encodeURIComponent(id)}`), { status: 204 }, id)
      t.match(await api('DELETE', `${records}/${encodeURIComponent(id)}`), { status: 404, body: { error: { code: 'RECORD_NOT_FOUND' } } }, id)
    }
    // The URL standard folds dot segments away before they are sent, percent-encoded or not.
    for (const id of ['.', '..']) t.match(await api('POST', records, { records: [{ id, text: 'odd' }] }), { body: { results: [{ status: 'failed', error: { code: 'RECORD_INVALID' } }] } }, id)
    for (const id of ['', 'a\nb', 'x'.repeat(256)]) t.match(await api('POST', records, { records: [{ id, text: 'odd' }] }), { status: 400 }, JSON.stringify(id))
  })

  t.test('wrong shapes are refused whole', async (t) => {
    for (const body of [{}, { records: [] }, { records: {} }, [], { records: [{ text: 1 }] }, { records: [{ text: 'x', extra: 1 }] }, { records: [{ id: 1, text: 'x' }] }, { records: [{ text: 'x', image: {} }] }, { records: [{ image: { base64: 'a', url: 'b' } }] }, { records: Array(257).fill({ text: 'x' }) }]) {
      t.match(await api('POST', records, body), { status: 400, body: { error: { code: 'INVALID_REQUEST' } } }, JSON.stringify(body).slice(0, 60))
    }
    t.match(await api('POST', records, '{"records": [', { headers: { 'content-type': 'application/json' } }), { status: 400 })
    t.match(await api('POST', records, Buffer.from([0x22, 0xff, 0x22]), { headers: { 'content-type': 'application/json' } }), { status: 400, body: { error: { message: /UTF-8/ } } })
    t.match(await api('POST', records, 'text', { headers: { 'content-type': 'text/plain' } }), { status: 415, body: { error: { code: 'MEDIA_TYPE_UNSUPPORTED' } } })
    t.match(await api('POST', '/v1/collections/nowhere/records', { records: [{ text: 'x' }] }), { status: 404, body: { error: { code: 'COLLECTION_NOT_FOUND' } } })
  })

  t.test('the kept image comes back as it was sent, safely', async (t) => {
    await api('POST', records, { records: [{ id: 'kept', image: { base64 } }, { id: 'words', text: 'x' }] })
    const response = await fetch(`${url}${records}/kept/image`)
    t.match(response.headers.get('content-type'), 'image/jpeg')
    t.equal(response.headers.get('x-content-type-options'), 'nosniff')
    t.match(response.headers.get('content-security-policy'), /sandbox/)
    const digest = createHash('sha256').update(portrait).digest('hex')
    t.equal(createHash('sha256').update(Buffer.from(await response.arrayBuffer())).digest('hex'), digest)
    const etag = response.headers.get('etag')!
    t.equal(etag, `"${digest}"`)
    t.match(await api('GET', `${records}/kept/image`, undefined, { headers: { 'if-none-match': etag } }), { status: 304 })
    t.match(await api('GET', `${records}/words/image`), { status: 404, body: { error: { code: 'IMAGE_NOT_KEPT' } } })
    t.match(await api('GET', `${records}/nobody/image`), { status: 404, body: { error: { code: 'RECORD_NOT_FOUND' } } })
  })

  t.test('thumbnails and nothing are kept where that is asked for', async (t) => {
    await api('PUT', '/v1/collections/small', { storage: 'thumbnail' })
    await api('PUT', '/v1/collections/none', { storage: 'none' })
    const wide = { base64: (await solid('#00aa00', { width: 800, height: 200 })).toString('base64') }
    for (const name of ['small', 'none']) t.match(await api('POST', `/v1/collections/${name}/records`, { records: [{ id: 'a', image: wide }] }), { body: { results: [{ status: 'created' }] } })
    const response = await fetch(`${url}/v1/collections/small/records/a/image`)
    t.match(await sharp(Buffer.from(await response.arrayBuffer())).metadata(), { format: 'webp', width: 320, height: 80 })
    t.match(await api('GET', '/v1/collections/none/records/a'), { body: { image_url: null, modalities: ['image'] } })
    t.match(await api('GET', '/v1/collections/none'), { body: { bytes: 256 * 4 } })
  })

  t.test('a client that goes away leaves no half of its request', async (t) => {
    const controller = new AbortController()
    const many = { records: await Promise.all(Array.from({ length: 60 }, async (_, i) => ({ id: `gone-${i}`, image: { base64: (await solid(`rgb(1,2,${i})`)).toString('base64') } }))) }
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
