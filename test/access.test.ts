import t from 'tap'
import { readConfig } from '../src/config.js'
import { testServer } from './fixtures/server.js'

const READ = 'read-key-of-some-length'
const WRITE = 'write-key-of-some-length'
const bearer = (key: string) => ({ headers: { authorization: `Bearer ${key}` } })

t.test('API keys: read, write, none', async (t) => {
  const { api } = await testServer(t, { API_KEYS: `read:${READ},write:${WRITE}` })
  for (const path of ['/health/live', '/health/ready', '/docs', '/openapi.json']) t.match(await api('GET', path), { status: 200 }, `${path} is open`)
  const calls: [string, string, unknown, 'read' | 'write'][] = [
    ['PUT', '/v1/collections/things', {}, 'write'],
    ['POST', '/v1/collections/things/records', { records: [{ id: 'a', text: 'x' }] }, 'write'],
    ['PATCH', '/v1/collections/things/records/a', { metadata: { a: 1 } }, 'write'],
    ['GET', '/v1/collections/things', undefined, 'read'],
    ['GET', '/v1/collections/things/records/a', undefined, 'read'],
    ['GET', '/metrics', undefined, 'read'],
    ['POST', '/v1/collections/things/search/text-to-image', { text: 'x' }, 'read'],
    ['POST', '/v1/collections/things/search', { query: { text: 'x' } }, 'read'],
    ['POST', '/v1/embeddings', { input: 'x' }, 'read'],
    ['POST', '/v1/collections/things/records/delete', { ids: ['a'] }, 'write'],
    ['DELETE', '/v1/collections/things', undefined, 'write']
  ]
  for (const [method, path, body, scope] of calls) {
    const name = `${method} ${path}`
    const unauthorized = await api(method, path, body)
    t.match(unauthorized, { status: 401, body: { error: { code: 'UNAUTHORIZED' } } }, name)
    t.equal(unauthorized.headers.get('www-authenticate'), 'Bearer')
    for (const wrong of ['', 'x', READ.slice(1), `${READ} `.repeat(2), WRITE.toUpperCase()]) t.match(await api(method, path, body, bearer(wrong)), { status: 401 }, `${name} with '${wrong}'`)
    if (scope === 'write') t.match(await api(method, path, body, bearer(READ)), { status: 403, body: { error: { code: 'FORBIDDEN' } } }, name)
    else t.match(await api(method, path, body, bearer(READ)), { status: 200 }, name)
    t.ok((await api(method, path, body, { headers: { 'x-api-key': WRITE } })).status < 300, `${name} with the write key`)
  }
})

t.test('keys that are none are refused at the start, and not shown', async (t) => {
  for (const keys of ['short', 'read:short', 'admin:0123456789abcdef', `read:${READ},secretsecretsecret`]) {
    t.throws(() => readConfig({ API_KEYS: keys }), /API_KEYS: entry [12]/)
    try {
      readConfig({ API_KEYS: keys })
    } catch (error) {
      t.notMatch((error as Error).message, /secretsecret|0123456789/)
    }
  }
  t.equal(readConfig({ HOST: '0.0.0.0', API_KEYS: `write:${WRITE}` }).HOST, '0.0.0.0', 'with a key the host may be any')
})

t.test('the rate is limited by key', async (t) => {
  const { api } = await testServer(t, { API_KEYS: `read:${READ},write:${WRITE}`, RATE_LIMIT_PER_MINUTE: '5' })
  for (let i = 0; i < 5; i++) t.match(await api('GET', '/v1/models', undefined, bearer(READ)), { status: 200 })
  const limited = await api('GET', '/v1/models', undefined, bearer(READ))
  t.match(limited, { status: 429, body: { error: { code: 'RATE_LIMITED' } } })
  t.ok(Number(limited.headers.get('retry-after')) > 0)
  t.match(await api('GET', '/v1/models', undefined, bearer(WRITE)), { status: 200 }, 'another key has its own')
  for (let i = 0; i < 10; i++) t.match(await api('GET', '/health/live'), { status: 200 }, 'health is never limited')
})

t.test('metrics tell of routes, stages, queues, the cache and the indexes', async (t) => {
  const { api } = await testServer(t)
  await api('PUT', '/v1/collections/things')
  await api('POST', '/v1/collections/things/records', { records: [{ id: 'a', text: 'x' }, { id: 'b' }] })
  for (let i = 0; i < 3; i++) await api('POST', '/v1/collections/things/search', { query: { text: 'the same' }, target: 'text' })
  await api('GET', '/nowhere')
  const { status, body, headers } = await api('GET', '/metrics')
  t.equal(status, 200)
  t.match(headers.get('content-type'), 'text/plain')
  const has = (pattern: RegExp) => t.match(body, pattern)
  has(/semblance_http_request_duration_seconds_count\{method="POST",route="\/v1\/collections\/:collection\/search",status="200"\} 3/)
  has(/route="unknown",status="404"\} 1/)
  has(/semblance_stage_duration_seconds_count\{stage="encode"\} 3/)
  has(/semblance_stage_duration_seconds_count\{stage="search"\} 3/)
  has(/semblance_encoder_queue_length\{model="mini",input="image"\} 0/)
  has(/semblance_encoder_info\{model="mini",fingerprint="[0-9a-f]{64}",requested="cpu",image="cpu",text="cpu"\} 1/)
  has(/semblance_embedding_cache_lookups_total\{model="mini",result="hit"\} 2/)
  has(/semblance_records_written_total\{status="created"\} 1/)
  has(/semblance_records_written_total\{status="failed"\} 1/)
  has(/semblance_collection_records\{collection="things"\} 1/)
  has(/semblance_collection_vectors\{collection="things",modality="text"\} 1/)
  has(/semblance_index_pending 0/)
  has(/process_resident_memory_bytes \d/)
  await api('DELETE', '/v1/collections/things')
  t.notMatch((await api('GET', '/metrics')).body, /collection="things",modality/, 'dropped collections are gone')
})

t.test('origins that are allowed may call from a browser, others not', async (t) => {
  const { api } = await testServer(t, { ALLOWED_ORIGINS: 'https://friend.example' })
  const origin = 'https://friend.example'
  const preflight = await api('OPTIONS', '/v1/embeddings', undefined, { headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' } })
  t.equal(preflight.status, 204)
  t.equal(preflight.headers.get('access-control-allow-origin'), origin)
  t.match(preflight.headers.get('access-control-allow-methods'), /POST/)
  const call = await api('POST', '/v1/embeddings', { input: 'x' }, { headers: { origin } })
  t.equal(call.headers.get('access-control-allow-origin'), origin)
  t.match(await api('GET', '/v1/models', undefined, { headers: { origin: 'https://other.example' } }), { status: 403 })
})
