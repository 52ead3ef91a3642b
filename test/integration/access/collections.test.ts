import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import t from 'tap'
import { digestOf } from '../../../src/access/api-key.js'
import { ownServer } from '../../fixtures/server.js'

const KEYS = {
  admin: 'admin-of-everything-0',
  tenant: 'admin-of-tenant-a-00',
  reader: 'reader-of-photos-000',
  brief: 'a-key-that-is-expired',
  slow: 'a-key-of-two-a-minute'
}
const as = (key: keyof typeof KEYS) => ({ headers: { authorization: `Bearer ${KEYS[key]}` } })
const sha256 = (key: keyof typeof KEYS) => digestOf(KEYS[key]).toString('hex')

t.test('keys of a file: by collection, with an end and a limit of their own', async (t) => {
  const folder = t.testdir({ data: {} })
  const path = join(folder, 'keys.json')
  const keys = [
    { name: 'admin', scope: 'admin', sha256: sha256('admin') },
    { name: 'tenant', scope: 'admin', sha256: sha256('tenant'), collections: ['tenant-a-*'] },
    { name: 'reader', scope: 'read', sha256: sha256('reader'), collections: ['photos'] },
    { name: 'brief', scope: 'admin', sha256: sha256('brief'), expires_at: '2020-01-01' },
    { name: 'slow', scope: 'read', sha256: sha256('slow'), rate_limit_per_minute: 2 }
  ]
  writeFileSync(path, JSON.stringify({ keys }), { mode: 0o600 })
  const { api } = await ownServer(t, { API_KEYS_FILE: path, DATA_DIR: join(folder, 'data') })
  for (const name of ['photos', 'tenant-b-things']) {
    t.match(await api('PUT', `/v1/collections/${name}`, {}, as('admin')), { status: 201 })
    await api('POST', `/v1/collections/${name}/records`, { records: [{ id: 'a', text: 'x' }] }, as('admin'))
  }

  t.test('a key limited to collections makes and drops those, and no other', async (t) => {
    t.match(await api('PUT', '/v1/collections/tenant-a-pictures', {}, as('tenant')), { status: 201 })
    t.match(
      await api(
        'POST',
        '/v1/collections/tenant-a-pictures/records',
        { records: [{ id: 'a', text: 'x' }] },
        as('tenant')
      ),
      { status: 200 }
    )
    for (const name of ['photos', 'tenant-b-things', 'tenant-a', 'tenant-bb', 'nowhere', 'NOT-A-NAME'])
      for (const [method, rest, body] of [
        ['PUT', '', {}],
        ['GET', ''],
        ['DELETE', ''],
        ['POST', '/records', { records: [{ id: 'b', text: 'x' }] }],
        ['POST', '/search', { query: { text: 'x' } }],
        ['GET', '/records/a'],
        ['POST', '/reindex', {}]
      ] as const) {
        const answer = await api(method, `/v1/collections/${name}${rest}`, body, as('tenant'))
        t.match(
          answer,
          {
            status: 403,
            body: {
              error: {
                code: 'COLLECTION_FORBIDDEN',
                message: `The API key does not give access to collection '${name}'.`
              }
            }
          },
          `${method} ${name}${rest}: whether it exists is not told`
        )
      }
    t.match(
      await api('GET', '/v1/collections/%74enant-b-things', undefined, as('tenant')),
      { status: 403 },
      'percent-encoded it is the same name'
    )
  })

  t.test('it sees its own collections and jobs, not the metrics of all', async (t) => {
    const seen = async (key: keyof typeof KEYS) =>
      (await api('GET', '/v1/collections', undefined, as(key))).body.collections
        .map(({ name }: { name: string }) => name)
        .sort()
    t.same(await seen('tenant'), ['tenant-a-pictures'])
    t.same(await seen('reader'), ['photos'])
    t.same(await seen('admin'), ['photos', 'tenant-a-pictures', 'tenant-b-things'])
    const own = (await api('POST', '/v1/collections/tenant-a-pictures/reindex', {}, as('tenant'))).body.id
    const other = (await api('POST', '/v1/collections/photos/reindex', {}, as('admin'))).body.id
    t.same(
      (await api('GET', '/v1/jobs', undefined, as('tenant'))).body.jobs.map(({ id }: { id: string }) => id),
      [own]
    )
    t.match(await api('GET', `/v1/jobs/${own}`, undefined, as('tenant')), { status: 200 })
    for (const [method, rest] of [
      ['GET', ''],
      ['GET', '/events'],
      ['DELETE', '']
    ])
      t.match(
        await api(method, `/v1/jobs/${other}${rest}`, undefined, as('tenant')),
        { status: 404, body: { error: { code: 'JOB_NOT_FOUND' } } },
        `${method}${rest}`
      )
    t.match(await api('GET', '/metrics', undefined, as('tenant')), {
      status: 403,
      body: { error: { code: 'COLLECTION_FORBIDDEN' } }
    })
    t.match(await api('GET', '/metrics', undefined, as('admin')), {
      status: 200,
      body: /semblance_api_keys 5[\s\S]*semblance_api_keys_stale 0/
    })
  })

  t.test('what names no collection is for every key', async (t) => {
    t.match(await api('GET', '/v1/models', undefined, as('reader')), { status: 200 })
    t.match(await api('POST', '/v1/embeddings', { input: 'x' }, as('reader')), { status: 200 })
    t.match(
      await api(
        'POST',
        '/v1/collections/photos/search',
        { query: { text: 'x' }, target: 'text' },
        as('reader')
      ),
      { status: 200, body: { matches: [{ id: 'a' }] } }
    )
    t.match(await api('PATCH', '/v1/collections/photos/records/a', { metadata: { a: 1 } }, as('reader')), {
      status: 403,
      body: { error: { code: 'FORBIDDEN' } }
    })
  })

  t.test(
    'no body names a collection, which would reach past the path, but those whose routes look at the ' +
      'key themselves',
    async (t) => {
      const { body: document } = await api('GET', '/openapi.json')
      const named: string[] = []
      const walk = (value: unknown, path: string) => {
        if (typeof value !== 'object' || value === null) return
        const { properties = {} } = value as { properties?: Record<string, unknown> }
        for (const name of Object.keys(properties))
          if (/collection/i.test(name)) named.push(`${path}.${name}`)
        for (const [name, inner] of Object.entries(value)) walk(inner, `${path}.${name}`)
      }
      for (const [path, methods] of Object.entries(
        document.paths as Record<string, Record<string, { requestBody?: unknown }>>
      ))
        for (const [method, { requestBody }] of Object.entries(methods))
          walk(requestBody, `${method} ${path}`)
      t.same(
        named.map((path) => path.replace(/\.content.*/, '')),
        ['put /v1/classifiers/{classifier}', 'post /v1/evaluations'],
        'tried in classifiers-kept.test.ts and evaluations.test.ts'
      )
      for (const [method, path, body] of [
        ['PUT', '/v1/classifiers/theirs', { collection: 'walls', label_field: 'kind' }],
        ['POST', '/v1/evaluations', { dataset: { collection: 'walls' } }]
      ] as const) {
        t.match(
          await api(method, path, body, as('tenant')),
          { status: 403, body: { error: { code: 'COLLECTION_FORBIDDEN' } } },
          path
        )
      }
    }
  )

  t.test('an expired key is told so', async (t) => {
    t.match(await api('GET', '/v1/models', undefined, as('brief')), {
      status: 401,
      body: { error: { code: 'KEY_EXPIRED', message: /2020-01-01T00:00:00/ } }
    })
  })

  t.test('a key has its own rate', async (t) => {
    const first = await api('GET', '/v1/models', undefined, as('slow'))
    t.equal(first.headers.get('x-ratelimit-limit'), '2')
    t.match(await api('GET', '/v1/models', undefined, as('slow')), { status: 200 })
    t.match(await api('GET', '/v1/models', undefined, as('slow')), {
      status: 429,
      body: { error: { code: 'RATE_LIMITED', message: /More than 2/ } }
    })
    t.match(await api('GET', '/v1/models', undefined, as('reader')), { status: 200 }, 'others have none')
  })
})

t.test('a key that is taken out ends what is under way with it', async (t) => {
  const folder = t.testdir({ data: {} })
  const path = join(folder, 'keys.json')
  const write = (...names: (keyof typeof KEYS)[]) =>
    writeFileSync(
      path,
      JSON.stringify({ keys: names.map((name) => ({ name, scope: 'admin', sha256: sha256(name) })) }),
      { mode: 0o600 }
    )
  write('admin', 'tenant')
  const { api, url, reload } = await ownServer(t, { API_KEYS_FILE: path, DATA_DIR: join(folder, 'data') })
  await api('PUT', '/v1/collections/things', {}, as('admin'))
  const bulk = async (key: keyof typeof KEYS) => {
    const call = request(`${url}/v1/collections/things/records/bulk`, {
      method: 'POST',
      headers: { ...as(key).headers, 'content-type': 'application/x-ndjson' }
    })
    for (let i = 0; i < 64; i++) call.write(`{"id": "${key}-${i}", "text": "z"}\n`)
    const [response] = await once(call, 'response')
    await once(response, 'data')
    return { call, response }
  }
  const [kept, cut] = await Promise.all([bulk('admin'), bulk('tenant')])
  const broken = once(cut.response, 'error')
  cut.call.on('error', () => undefined)
  write('admin')
  await reload()
  t.match(await broken, [{ code: 'ECONNRESET' }])
  t.match(await api('GET', '/v1/models', undefined, as('tenant')), { status: 401 })
  kept.call.end('{"id": "last", "text": "z"}\n')
  kept.response.resume()
  await once(kept.response, 'end')
  t.match(
    await api('GET', '/v1/collections/things/records/last', undefined, as('admin')),
    { status: 200 },
    'others go on'
  )
})
