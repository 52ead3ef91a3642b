import t from 'tap'
import { readConfig } from '../../../src/config.js'
import { testServer } from '../../fixtures/server.js'
import { inSequence } from '../../fixtures/pattern.js'

const READ = 'read-key-of-some-length'
const WRITE = 'write-key-of-some-length'
const ADMIN = 'admin-key-of-some-length'
const bearer = (key: string) => ({ headers: { authorization: `Bearer ${key}` } })

t.test('API keys: read, write, admin, none', async (t) => {
  const { api } = await testServer(t, {
    API_KEYS: `read:${READ},write:${WRITE},admin:${ADMIN}`,
    REFUSALS_PER_MINUTE: '0'
  })
  for (const path of [
    '/health/live',
    '/health/ready',
    '/docs',
    '/docs/apple.png',
    '/openapi.json',
    '/openapi.yaml'
  ])
    t.match(await api('GET', path), { status: 200 }, `${path} is open`)
  const calls: [string, string, unknown, 'read' | 'write' | 'admin'][] = [
    ['PUT', '/v1/collections/things', {}, 'admin'],
    ['POST', '/v1/collections/things/records', { records: [{ id: 'a', text: 'x' }] }, 'write'],
    ['PATCH', '/v1/collections/things/records/a', { metadata: { a: 1 } }, 'write'],
    ['GET', '/v1/collections/things', undefined, 'read'],
    ['GET', '/v1/collections/things/records/a', undefined, 'read'],
    ['GET', '/metrics', undefined, 'read'],
    ['POST', '/v1/collections/things/search/text-to-image', { text: 'x' }, 'read'],
    ['POST', '/v1/collections/things/search', { query: { text: 'x' } }, 'read'],
    ['GET', '/v1/collections/things/facets', undefined, 'read'],
    ['POST', '/v1/collections/things/search/matrix', {}, 'read'],
    ['POST', '/v1/collections/things/search/scores', { query: { text: 'x' }, ids: ['a'] }, 'read'],
    ['POST', '/v1/collections/things/snapshot', undefined, 'admin'],
    ['POST', '/v1/embeddings', { input: 'x' }, 'read'],
    ['POST', '/v1/collections/things/records/delete', { ids: ['a'] }, 'write'],
    ['GET', '/v1/jobs', undefined, 'read'],
    ['POST', '/v1/collections/things/reindex', {}, 'admin'],
    ['DELETE', '/v1/jobs/JOB', undefined, 'admin'],
    ['DELETE', '/v1/collections/things', undefined, 'admin']
  ]
  let job = ''
  for (const [method, template, body, scope] of calls) {
    const path = template.replace('JOB', job)
    const name = `${method} ${path}`
    const unauthorized = await api(method, path, body)
    t.match(unauthorized, { status: 401, body: { error: { code: 'UNAUTHORIZED' } } }, name)
    t.equal(unauthorized.headers.get('www-authenticate'), 'Bearer')
    for (const wrong of ['', 'x', READ.slice(1), `${READ} `.repeat(2), WRITE.toUpperCase()])
      t.match(await api(method, path, body, bearer(wrong)), { status: 401 }, `${name} with '${wrong}'`)
    const may = { read: scope === 'read', write: scope !== 'admin', admin: true }
    for (const [key, ok] of [
      [READ, may.read],
      [WRITE, may.write],
      [ADMIN, may.admin]
    ] as const) {
      // What may be done once is done by the one that may most.
      if (ok && key !== ADMIN && method === 'DELETE') continue
      const answer = await api(method, path, body, { headers: { 'x-api-key': key } })
      if (ok) t.ok(answer.status < 300, `${name} with ${key}: ${answer.status}`)
      else
        t.match(
          answer,
          {
            status: 403,
            body: { error: { code: 'FORBIDDEN', message: new RegExp(`needs the scope ${scope}`) } }
          },
          `${name} with ${key}`
        )
      if (ok && path.endsWith('/reindex')) job = answer.body.id
    }
  }
})

t.test('keys that are none are rejected at the start, and not shown', async (t) => {
  for (const keys of ['short', 'read:short', 'root:0123456789abcdef', `read:${READ},secretsecretsecret`]) {
    t.throws(() => readConfig({ API_KEYS: keys }), /API_KEYS: entry [12]/)
    try {
      readConfig({ API_KEYS: keys })
    } catch (error) {
      t.notMatch((error as Error).message, /secretsecret|0123456789/)
    }
  }
  t.equal(
    readConfig({ HOST: '0.0.0.0', API_KEYS: `write:${WRITE}` }).HOST,
    '0.0.0.0',
    'with a key the host may be any'
  )
})

t.test('the rate is limited by key', async (t) => {
  const { api } = await testServer(t, { API_KEYS: `read:${READ},write:${WRITE}`, RATE_LIMIT_PER_MINUTE: '5' })
  for (let i = 0; i < 5; i++)
    t.match(await api('GET', '/v1/models', undefined, bearer(READ)), { status: 200 })
  const limited = await api('GET', '/v1/models', undefined, bearer(READ))
  t.match(limited, { status: 429, body: { error: { code: 'RATE_LIMITED' } } })
  t.ok(Number(limited.headers.get('retry-after')) > 0)
  t.match(
    await api('GET', '/v1/models', undefined, bearer(WRITE)),
    { status: 200 },
    'another key has its own'
  )
  for (let i = 0; i < 10; i++)
    t.match(await api('GET', '/health/live'), { status: 200 }, 'health is never limited')
})

t.test('metrics tell of routes, stages, queues, the cache and the indexes', async (t) => {
  // Another size than that of other tests: a cache of its own, in which nothing was looked up yet.
  const { api } = await testServer(t, { EMBEDDING_CACHE_MIB: '8' })
  await api('PUT', '/v1/collections/things')
  await api('POST', '/v1/collections/things/records', { records: [{ id: 'a', text: 'x' }, { id: 'b' }] })
  for (let i = 0; i < 3; i++)
    await api('POST', '/v1/collections/things/search', { query: { text: 'the same' }, target: 'text' })
  await api('GET', '/nowhere')
  const { status, body, headers } = await api('GET', '/metrics')
  t.equal(status, 200)
  t.match(headers.get('content-type'), 'text/plain')
  const has = (pattern: RegExp) => t.match(body, pattern)
  const search = /route="\/v1\/collections\/:collection\/search"/
  has(
    inSequence(/semblance_http_request_duration_seconds_count\{method="POST",/, search, /,status="200"\} 3/)
  )
  has(/route="unknown",status="404"\} 1/)
  // What the cache has is not encoded again.
  has(inSequence(/semblance_stage_duration_seconds_count\{stage="encode",/, search, /\} 1/))
  has(inSequence(/semblance_stage_duration_seconds_count\{stage="search",/, search, /\} 3/))
  has(/semblance_encoder_queue_length\{model="mini",input="image"\} 0/)
  has(
    inSequence(
      /semblance_encoder_info\{model="mini",fingerprint="[0-9a-f]{64}",/,
      /requested="cpu",image="cpu",text="cpu"\} 1/
    )
  )
  has(/semblance_embedding_cache_lookups_total\{model="mini",result="hit"\} 2/)
  has(/semblance_records_written_total\{status="created"\} 1/)
  has(/semblance_records_written_total\{status="failed"\} 1/)
  has(/semblance_collection_records\{collection="things"\} 1/)
  has(/semblance_collection_vectors\{collection="things",modality="text"\} 1/)
  has(/semblance_index_pending 0/)
  has(/process_resident_memory_bytes \d/)
  await api('DELETE', '/v1/collections/things')
  t.notMatch(
    (await api('GET', '/metrics')).body,
    /collection="things",modality/,
    'dropped collections are gone'
  )
})
