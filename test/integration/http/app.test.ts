import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { form, heic, pngBomb, solid, svg } from '../../fixtures/images.js'
import { testServer } from '../../fixtures/server.js'
import { inSequence } from '../../fixtures/pattern.js'

t.test('the service at its edges', async (t) => {
  const { api, url } = await testServer(t, {
    MAX_IMAGE_MIB: '1',
    MAX_RECORDS_BODY_MIB: '4',
    ALLOWED_HOSTS: 'pictures.example',
    ALLOWED_ORIGINS: 'https://friend.example'
  })
  const port = Number(new URL(url).port)
  await api('PUT', '/v1/collections/things')

  t.test('unknown paths, methods and malformed requests have the one error shape', async (t) => {
    t.match(await api('GET', '/nowhere'), {
      status: 404,
      body: { error: { code: 'ROUTE_NOT_FOUND', message: /\/nowhere/ } }
    })
    const wrongMethod = await api('POST', '/v1/collections/things')
    t.match(wrongMethod, { status: 405, body: { error: { code: 'METHOD_NOT_ALLOWED' } } })
    t.match(wrongMethod.headers.get('allow'), /GET.*DELETE/)
    t.match(await api('GET', '/%ff'), { status: 400, body: { error: { code: 'INVALID_REQUEST' } } })
    t.match(await raw('NONSENSE\r\n\r\n'), /400 Bad Request[\s\S]*"code":"INVALID_REQUEST"/)
    t.match(
      await raw(`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`),
      /431[\s\S]*"error"/
    )
  })

  t.test('a path with slashes that are too many is told the right one', async (t) => {
    for (const path of ['/v1/collections/', '//v1/collections', '/v1//collections', '/v1/collections//']) {
      t.match(
        await api('GET', path),
        {
          status: 404,
          body: {
            error: {
              code: 'ROUTE_NOT_FOUND',
              message: `There is no route ${path} (did you mean /v1/collections?); /docs lists all routes.`
            }
          }
        },
        path
      )
    }
    t.match(await api('PUT', '/v1/collections/', {}), {
      status: 404,
      body: { error: { code: 'ROUTE_NOT_FOUND' } }
    })
    t.match(await api('GET', '/v1/collections/things/'), {
      status: 404,
      body: { error: { message: /did you mean \/v1\/collections\/things\?/ } }
    })
    t.match(await api('GET', '/docs/'), { status: 200 })
  })

  t.test('OPTIONS names the methods of a path', async (t) => {
    for (const headers of [{}, { origin: 'https://friend.example' }] as Record<string, string>[]) {
      const { status, headers: answered } = await api('OPTIONS', '/v1/collections/things', undefined, {
        headers
      })
      t.equal(status, 204)
      t.same(answered.get('allow')!.split(', ').sort(), ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PUT'])
    }
    t.match(await api('OPTIONS', '/nowhere'), { status: 404, body: { error: { code: 'ROUTE_NOT_FOUND' } } })
    t.match(
      await raw('OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'),
      /204[\s\S]*allow: .*GET.*OPTIONS/
    )
    const preflight = await api('OPTIONS', '/v1/collections/things', undefined, {
      headers: { origin: 'https://friend.example', 'access-control-request-method': 'DELETE' }
    })
    t.match(preflight.headers.get('access-control-allow-methods'), 'DELETE')
  })

  t.test('other expectations, and Host twice or not at all', async (t) => {
    const ask = (headers: string) => raw(`GET /health/live HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`)
    t.match(
      await ask('Host: localhost\r\nExpect: 200-ok\r\n'),
      inSequence(
        /^HTTP\/1.1 417 [\s\S]*x-content-type-options: nosniff[\s\S]*/,
        /"code":"INVALID_REQUEST","message":"The header Expect has the value '200-ok'/
      )
    )
    t.match(
      await ask('Host: localhost\r\nHost: evil.example\r\n'),
      /^HTTP\/1.1 400 [\s\S]*"message":"The header Host appears 2 times; send it once\."/
    )
    t.match(
      await ask(''),
      /^HTTP\/1.1 400 [\s\S]*"message":"The header Host is missing; HTTP\/1\.1 requires it\."/
    )
    t.match(await raw('GET /health/live HTTP/1.0\r\n\r\n'), /^HTTP\/1.1 200 /)
  })

  t.test('bodies of a type, a charset or an encoding that is not taken', async (t) => {
    const refused = async (path: string, headers: Record<string, string>, message: string | RegExp) =>
      t.match(
        await api('POST', path, '{"text":"x"}', { headers }),
        { status: 415, body: { error: { code: 'MEDIA_TYPE_UNSUPPORTED', message } } },
        JSON.stringify(headers)
      )
    const search = '/v1/collections/things/search/text-to-image'
    await refused(
      search,
      { 'content-type': 'application/x-www-form-urlencoded' },
      'The body is application/x-www-form-urlencoded; send application/json (the header Content-Type).'
    )
    await refused(
      search,
      { 'content-type': 'multipart/form-data; boundary=x' },
      'The body is multipart/form-data; send application/json (the header Content-Type).'
    )
    await refused(search, { 'content-type': 'application/x-ndjson' }, /send application\/json/)
    await refused(
      '/v1/zero-shot',
      { 'content-type': 'text/xml' },
      'The body is text/xml; send application/json or multipart/form-data (the header Content-Type).'
    )
    await refused(
      '/v1/collections/things/records/bulk',
      { 'content-type': 'application/json' },
      /send application\/x-ndjson/
    )
    await refused(
      search,
      { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      'The body is compressed (Content-Encoding: gzip); send it uncompressed.'
    )
    await refused(
      search,
      { 'content-type': 'application/json; charset=iso-8859-1' },
      'The body is in the charset iso-8859-1; send it in UTF-8.'
    )
    const json = { headers: { 'content-type': 'application/json' } }
    t.match(await api('POST', search, gzipSync('{"text":"x"}'), json), {
      status: 400,
      body: { error: { message: 'The body is compressed with gzip; send it uncompressed.' } }
    })
    t.match(
      await api('POST', search, '\ufeff{"text":"x"}', json),
      { status: 200 },
      'a byte order mark is passed over'
    )
    t.match(await api('POST', search, '{"text":"x","__proto__":{}}', json), {
      status: 400,
      body: { error: { message: /the key '__proto__'/ } }
    })
    t.match(
      await api('POST', search, '{"text":"x"}', {
        headers: { 'content-type': 'Application/JSON; charset="UTF-8"', 'content-encoding': 'identity' }
      }),
      { status: 200 }
    )
  })

  t.test('every answer has a request id, one that is sent is kept', async (t) => {
    const made = await api('GET', '/nowhere')
    t.equal(made.headers.get('x-request-id'), made.body.error.request_id)
    const { headers } = await api('GET', '/health/live', undefined, { headers: { 'x-request-id': 'mine-1' } })
    t.equal(headers.get('x-request-id'), 'mine-1')
    t.equal(headers.get('x-content-type-options'), 'nosniff')
  })

  t.test('a request id that is long or has other characters is replaced by a new one', async (t) => {
    const answered = async (sent: string) =>
      (await api('GET', '/health/live', undefined, { headers: { 'x-request-id': sent } })).headers.get(
        'x-request-id'
      )
    const longest = 'a.B_9:-z'.repeat(16)
    t.equal(await answered(longest), longest)
    const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/
    for (const sent of [
      `${longest}x`,
      'x'.repeat(4000),
      'two words',
      'a,b',
      '"quoted"',
      '<b>',
      'caf\u00e9',
      ''
    ])
      t.match(await answered(sent), uuid, sent.slice(0, 20))
    const twice = await raw(
      `GET /nowhere HTTP/1.1\r\nHost: localhost:${port}\r\nX-Request-Id: a\r\nX-Request-Id: ` +
        `b\r\nConnection: close\r\n\r\n`
    )
    t.match(twice, /x-request-id: [0-9a-f]{8}-/i)
    t.match(
      await raw(
        `GET /%ff HTTP/1.1\r\nHost: localhost:${port}\r\nX-Request-Id: two words\r\nConnection: close\r\n\r\n`
      ),
      /x-request-id: [0-9a-f]{8}-/i
    )
  })

  t.test('other sites are kept out', async (t) => {
    const withHost = (host: string, more = '') =>
      raw(`GET /health/live HTTP/1.1\r\nHost: ${host}\r\n${more}Connection: close\r\n\r\n`)
    for (const host of [
      'localhost',
      `localhost:${port}`,
      '127.0.0.1',
      '[::1]:80',
      '192.168.1.7:8080',
      'pictures.example',
      'LOCALHOST'
    ])
      t.match(await withHost(host), / 200 OK/, host)
    for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', ''])
      t.match(await withHost(host), /403|400/, host)
    t.match(await withHost('evil.example'), /HOST_NOT_ALLOWED/)
    const withOrigin = (origin: string) => withHost(`localhost:${port}`, `Origin: ${origin}\r\n`)
    for (const origin of [`http://localhost:${port}`, 'https://friend.example'])
      t.match(await withOrigin(origin), / 200 OK/, origin)
    for (const origin of [
      'http://evil.example',
      'null',
      'http://localhost:1',
      `http://localhost:${port}.evil.example`
    ])
      t.match(await withOrigin(origin), /403[\s\S]*ORIGIN_NOT_ALLOWED/, origin)
  })

  t.test('hostile images get a clear answer each, by every way in', async (t) => {
    const cases: [string, Buffer, number, string][] = [
      ['an empty file', Buffer.alloc(0), 422, 'IMAGE_INVALID'],
      ['a text', Buffer.from('this is no photo'), 415, 'IMAGE_UNSUPPORTED'],
      ['SVG', svg, 415, 'IMAGE_UNSUPPORTED'],
      ['HEIC', heic, 415, 'IMAGE_UNSUPPORTED'],
      ['a truncated PNG', (await solid('red')).subarray(0, 70), 422, 'IMAGE_INVALID'],
      ['30,000 x 30,000 pixels', pngBomb(30_000, 30_000), 413, 'IMAGE_TOO_LARGE'],
      ['2 MiB of noise', Buffer.alloc(2 << 20, 'noise'), 413, 'IMAGE_TOO_LARGE']
    ]
    for (const [name, bytes, status, code] of cases) {
      const expected = { status, body: { error: { code, message: /./, request_id: /./ } } }
      t.match(
        await api('POST', '/v1/collections/things/search/image-to-text', form([['image', bytes]])),
        expected,
        `${name} in a form`
      )
      t.match(
        await api(
          'POST',
          '/v1/zero-shot',
          form([
            ['image', bytes],
            ['labels', '["a","b"]']
          ])
        ),
        expected,
        `${name} to zero-shot`
      )
      if (bytes.length > 1 << 20) continue
      t.match(
        await api('POST', '/v1/collections/things/search/image-to-text', {
          image: { base64: bytes.toString('base64') }
        }),
        expected,
        `${name} in JSON`
      )
      t.match(
        await api('POST', '/v1/collections/things/records', {
          records: [{ id: 'a', image: { base64: bytes.toString('base64') } }]
        }),
        { status: 200, body: { results: [{ status: 'failed', error: { code } }] } },
        `${name} as a record`
      )
    }
    t.match(await api('GET', '/v1/collections/things'), { body: { records: 0 } })
    t.match(await api('GET', '/health/ready'), { status: 200, body: { status: 'ready' } })
  })

  t.test('bodies over their limit are rejected, and who sends them sees that', async (t) => {
    const large = Buffer.alloc(100 << 20, 'x')
    t.match(
      await api('POST', '/v1/collections/things/records', large, {
        headers: { 'content-type': 'application/json' }
      }),
      { status: 413, body: { error: { code: 'BODY_TOO_LARGE' } } }
    )
    t.match(
      await api(
        'POST',
        '/v1/collections/things/records',
        form([
          ['image', large],
          ['image', await solid('red')]
        ])
      ),
      {
        status: 200,
        body: { results: [{ status: 'failed', error: { code: 'IMAGE_TOO_LARGE' } }, { status: 'created' }] }
      },
      'one large image of a form fails alone'
    )
    t.match(
      await api(
        'POST',
        '/v1/zero-shot',
        form([
          ['image', large],
          ['labels', 'a'],
          ['labels', 'b']
        ])
      ),
      { status: 413, body: { error: { code: 'IMAGE_TOO_LARGE' } } }
    )
    t.match(
      await raw(
        'POST /v1/collections/things/records HTTP/1.1\r\nHost: localhost\r\nContent-Type: ' +
          'application/json\r\nContent-Length: 1000000000000\r\n\r\n',
        { ends: false }
      ),
      /413[\s\S]*connection: close[\s\S]*BODY_TOO_LARGE/i,
      'what is far longer is not read to its end'
    )
    const many: [string, Uint8Array][] = Array.from({ length: 6 }, () => [
      'image',
      Buffer.alloc(1 << 20, 'x')
    ])
    t.match(await api('POST', '/v1/collections/things/records', form(many)), {
      status: 413,
      body: { error: { code: 'IMAGE_TOO_LARGE' } }
    })
    t.match(
      await api('POST', '/v1/collections/things/search/text-to-image', `{"text":"${'x'.repeat(2 << 20)}"}`, {
        headers: { 'content-type': 'application/json' }
      }),
      { status: 413 }
    )
    t.match(await api('GET', '/health/live'), { status: 200 })
  })

  t.test('prototype poisoning and deep nesting do nothing', async (t) => {
    const json = { headers: { 'content-type': 'application/json' } }
    t.match(
      await api(
        'POST',
        '/v1/collections/things/records',
        '{"records":[{"text":"x","__proto__":{"a":1}}]}',
        json
      ),
      { status: 400 }
    )
    const deep = `{"records":[{"text":"x","metadata":{"a":${'['.repeat(5000)}${']'.repeat(5000)}}}]}`
    t.match(await api('POST', '/v1/collections/things/records', deep, json), {
      status: 200,
      body: { results: [{ error: { code: 'RECORD_INVALID', message: /deep/ } }] }
    })
  })

  async function raw(request: string, { ends = true } = {}): Promise<string> {
    const socket = connect(port, '127.0.0.1')
    if (ends) socket.end(request)
    else socket.write(request)
    let answer = ''
    socket.on('data', (chunk) => (answer += chunk))
    socket.on('error', () => undefined)
    await once(socket, 'close')
    return answer
  }
})

t.test('a full queue answers 429 with Retry-After, and health stays green', async (t) => {
  const { api } = await testServer(t, { QUEUE_SIZE: '4', EMBEDDING_CACHE_MIB: '0' })
  // Equal pictures would be encoded once; these differ behind their end.
  const picture = await solid('red', { width: 900, height: 900 })
  const image = (n: number) => ({
    base64: Buffer.concat([picture, Buffer.from(String(n))]).toString('base64')
  })
  const calls = Array.from({ length: 60 }, (_, n) =>
    api('POST', '/v1/zero-shot', { image: image(n), labels: ['a', 'b'] })
  )
  const live = await Promise.all(Array.from({ length: 10 }, () => api('GET', '/health/live')))
  const answers = await Promise.all(calls)
  const refused = answers.filter(({ status }) => status === 429)
  t.ok(refused.length > 0 && refused.length < 60, `${refused.length} of 60 were refused`)
  t.ok(answers.every(({ status }) => status === 200 || status === 429))
  t.ok(
    refused.every(
      ({ headers, body }) => Number(headers.get('retry-after')) >= 1 && body.error.code === 'QUEUE_FULL'
    )
  )
  t.ok(live.every(({ status }) => status === 200))
  t.match(
    await api('POST', '/v1/zero-shot', { image: image(60), labels: ['a', 'b'] }),
    { status: 200 },
    'and then it takes work again'
  )
})

t.test('a collection of another encoder answers 409 that names both', async (t) => {
  const dataDir = t.testdir()
  const first = await testServer(t, { DATA_DIR: dataDir })
  await first.api('PUT', '/v1/collections/things')
  await first.api('POST', '/v1/collections/things/records', { records: [{ id: 'a', text: 'x' }] })
  await first.close()
  const { cp, writeFile } = await import('node:fs/promises')
  const { miniFolder } = await import('../../fixtures/mini.js')
  const other = `${t.testdirName}-models/other`
  await cp(miniFolder, other, { recursive: true })
  await writeFile(`${other}/semblance.json`, '{"template":"{label}"}')
  t.teardown(async () =>
    (await import('node:fs/promises')).rm(`${t.testdirName}-models`, { recursive: true })
  )
  const { api } = await testServer(t, { DATA_DIR: dataDir, MODEL: other })
  const conflict = {
    status: 409,
    body: {
      error: { code: 'FINGERPRINT_MISMATCH', message: /'mini' \([0-9a-f]{12}\).*'other' \([0-9a-f]{12}\)/ }
    }
  }
  t.match(await api('POST', '/v1/collections/things/search/text-to-image', { text: 'x' }), conflict)
  t.match(
    await api('POST', '/v1/collections/things/records', { records: [{ id: 'b', text: 'x' }] }),
    conflict
  )
  t.match(await api('GET', '/v1/collections/things/records/a'), { status: 200 })
  t.match(
    await api('PATCH', '/v1/collections/things/records/a', { metadata: { still: true } }),
    { status: 200 },
    'what needs no encoder goes on'
  )
  t.match(await api('POST', '/v1/collections/things/search', { query: { record: 'a' }, target: 'text' }), {
    status: 200
  })
  t.match(await api('PUT', '/v1/collections/things'), { status: 200 })
  t.match(await api('PUT', '/v1/collections/things', { model: 'other' }), {
    status: 409,
    body: { error: { code: 'COLLECTION_CONFLICT' } }
  })
})

t.test('closing answers what is under way', async (t) => {
  const server = await testServer(t)
  const picture = await solid('red', { width: 900, height: 900 })
  const images = Array.from({ length: 60 }, (_, n) => ({
    base64: Buffer.concat([picture, Buffer.from(String(n))]).toString('base64')
  }))
  const call = server.api('POST', '/v1/zero-shot', { images, labels: ['a', 'b'], templates: 'imagenet-80' })
  while (!/^semblance_encoder_queue_length\{.*\} [1-9]/m.test((await server.api('GET', '/metrics')).body))
    await sleep(5)
  await server.close()
  const { status, body } = await call
  t.equal(status, 200)
  t.equal(body.results.length, 60)
  await t.rejects(server.api('GET', '/health/live'))
})
