import t from 'tap'
import { testServer } from '../../fixtures/server.js'

const KEY = 'read-key-of-some-length'
const origin = 'https://friend.example'

t.test('every answer carries the security headers', async (t) => {
  const { api } = await testServer(t, { API_KEYS: `read:${KEY}` })
  const bearer = { headers: { authorization: `Bearer ${KEY}` } }
  for (const [path, init, status] of [
    ['/v1/models', bearer, 200],
    ['/v1/models', {}, 401],
    ['/nowhere', {}, 404],
    ['/%ff', {}, 400],
    ['/health/live', { headers: { origin } }, 403]
  ] as const) {
    const { headers, ...answer } = await api('GET', path, undefined, init)
    t.equal(answer.status, status)
    if (path !== '/%ff') {
      t.equal(
        headers.get('content-security-policy'),
        "default-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none'",
        `${status}`
      )
      t.equal(headers.get('x-frame-options'), 'DENY')
      t.equal(headers.get('referrer-policy'), 'no-referrer')
      t.equal(headers.get('cross-origin-resource-policy'), 'same-origin')
      t.equal(headers.get('cache-control'), 'no-store')
    }
    t.equal(headers.get('x-content-type-options'), 'nosniff', `${status}`)
    t.ok(headers.get('x-request-id'), `${status}`)
    t.notOk(headers.get('strict-transport-security'), 'HSTS is for what ends TLS')
    t.notOk(headers.get('server') ?? headers.get('x-powered-by'))
  }
  const { headers } = await api('GET', '/docs')
  t.match(
    headers.get('content-security-policy'),
    /^default-src 'none'; script-src 'self'; style-src 'self';/,
    'the page has its own policy'
  )
  t.notMatch(headers.get('content-security-policy'), /unsafe/)
})

t.test('origins that are allowed may call from a browser, others not', async (t) => {
  const { api } = await testServer(t, {
    ALLOWED_ORIGINS: `https://other.example, ${origin.toUpperCase()}`,
    API_KEYS: `read:${KEY}`,
    RATE_LIMIT_PER_MINUTE: '2'
  })
  const asked = 'authorization, content-type, idempotency-key, x-api-key, x-request-id, x-request-timeout'
  const preflight = await api('OPTIONS', '/v1/embeddings', undefined, {
    headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': asked }
  })
  t.equal(preflight.status, 204, 'without a key')
  t.equal(preflight.headers.get('access-control-allow-origin'), origin)
  t.match(preflight.headers.get('access-control-allow-methods'), /POST.*PATCH/)
  t.equal(preflight.headers.get('access-control-allow-headers'), asked)
  t.equal(preflight.headers.get('access-control-max-age'), '7200')
  const calls: { headers: Record<string, string>; status: number }[] = [
    { headers: { origin }, status: 401 },
    { headers: { origin, authorization: `Bearer ${KEY}` }, status: 200 },
    { headers: { origin, 'x-api-key': KEY }, status: 200 },
    { headers: { origin, 'x-api-key': KEY }, status: 429 }
  ]
  for (const { headers: sent, status } of calls) {
    const { headers, ...answer } = await api('POST', '/v1/embeddings', { input: 'x' }, { headers: sent })
    t.equal(answer.status, status)
    t.equal(headers.get('access-control-allow-origin'), origin, `a page can read the ${status}`)
    t.match(headers.get('access-control-expose-headers'), /x-request-id, retry-after/)
    t.match(headers.get('vary'), /Origin/i)
    t.notOk(headers.get('access-control-allow-credentials'))
    t.equal(headers.get('cross-origin-resource-policy'), 'cross-origin')
  }
  t.match(await api('GET', '/v1/models', undefined, { headers: { origin: 'https://third.example' } }), {
    status: 403
  })
  t.match(
    await api('OPTIONS', '/v1/models', undefined, {
      headers: { origin: 'https://third.example', 'access-control-request-method': 'GET' }
    }),
    { status: 403 }
  )
})

t.test('* is for every origin, without telling which', async (t) => {
  const { api } = await testServer(t, { ALLOWED_ORIGINS: '*' })
  const { headers } = await api('GET', '/v1/models', undefined, { headers: { origin } })
  t.equal(headers.get('access-control-allow-origin'), '*')
})
