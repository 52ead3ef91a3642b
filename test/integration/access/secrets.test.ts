import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import { pino } from 'pino'
import t from 'tap'
import { digestOf } from '../../../src/access/api-key.js'
import { readConfig } from '../../../src/config.js'
import { startServer } from '../../../src/server.js'
import { form, solid } from '../../fixtures/images.js'
import { ownServer } from '../../fixtures/server.js'

const READ = 'read-SECRET-of-some-length'
const ADMIN = 'admin-SECRET-of-some-length'
const FILED = 'smb_filed-SECRET-of-some-length'
const WRONG = 'smb_wrong-SECRET-of-some-length'
const PRIVATE = 'what-is-searched-for-is-private'

t.test('at the trace level no request, however broken, puts a key or a query into the log', async (t) => {
  let log = ''
  const logger = pino({ level: 'trace' }, { write: (line: string) => void (log += line) })
  const folder = t.testdir({ data: {} })
  const path = join(folder, 'keys.json')
  const keys = [{ name: 'filed', scope: 'admin', sha256: digestOf(FILED).toString('hex') }]
  writeFileSync(path, JSON.stringify({ keys }), { mode: 0o644 })
  process.env.HF_TOKEN = 'hf_SECRET'
  t.teardown(() => delete process.env.HF_TOKEN)
  const { api, url, reload } = await ownServer(
    t,
    {
      API_KEYS: `read:${READ},admin:${ADMIN}`,
      API_KEYS_FILE: path,
      AUDIT_LOG: join(folder, 'audit.log'),
      DATA_DIR: join(folder, 'data'),
      ALLOWED_ORIGINS: 'https://friend.example',
      RATE_LIMIT_PER_MINUTE: '200'
    },
    logger
  )
  const port = Number(new URL(url).port)
  const query = `api_key=${ADMIN}&token=${WRONG}&text=${PRIVATE}`
  for (const key of [READ, ADMIN, FILED, WRONG])
    for (const headers of [
      { authorization: `Bearer ${key}` },
      { 'x-api-key': key },
      { authorization: key },
      { authorization: `Basic ${key}` },
      { authorization: `Bearer ${key} ${key}` }
    ] as Record<string, string>[]) {
      await api('PUT', '/v1/collections/things', {}, { headers })
      await api('GET', `/v1/collections/things/search?${query}`, undefined, { headers })
      await api(
        'POST',
        `/v1/collections/things/records?${query}`,
        { records: [{ id: 'a', text: 'x' }, { id: 'b' }] },
        { headers }
      )
      await api(
        'POST',
        '/v1/zero-shot',
        form([
          ['labels', '["a","b"]'],
          ['image', await solid('red')]
        ]),
        { headers }
      )
      await api('POST', '/v1/embeddings', '{"input": ', {
        headers: { ...headers, 'content-type': 'application/json' }
      })
      await api('POST', '/v1/embeddings', 'x', { headers: { ...headers, 'content-type': 'text/plain' } })
      for (const missing of [
        `/nowhere?${query}`,
        `/%ff?${query}`,
        `/v1/collections/things/records/${'x'.repeat(2000)}?${query}`
      ])
        await api('GET', missing, undefined, { headers })
      await api('GET', '/v1/models', undefined, { headers: { ...headers, origin: 'https://evil.example' } })
      await api('OPTIONS', '/v1/models', undefined, {
        headers: { ...headers, origin: 'https://friend.example', 'access-control-request-method': 'GET' }
      })
    }
  const raw = async (text: string) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined).resume()
    socket.write(text)
    await once(socket, 'close')
  }
  await raw(
    `GET /?${query} HTTP/1.1\r\nHost: evil.example\r\nAuthorization: Bearer ${ADMIN}\r\nConnection: ` +
      `close\r\n\r\n`
  )
  await raw(`GET /?${query} HTTP/9.9\r\nAuthorization: Bearer ${ADMIN}\r\n\r\n`)
  await raw(`Authorization: Bearer ${ADMIN}\r\n\r\n`)
  await raw(`GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${ADMIN.repeat(2000)}\r\n\r\n`)
  await raw(
    `POST /v1/collections HTTP/1.1\r\nHost: localhost\r\nX-API-Key: ${ADMIN}\r\nContent-Length: ` +
      `nonsense\r\n\r\n`
  )
  writeFileSync(
    path,
    JSON.stringify({
      keys: [...keys, { name: 'mistaken', scope: 'read', sha256: FILED }, { name: ADMIN, key: READ }]
    })
  )
  await reload()
  t.match(log, /request completed[\s\S]*can't be used/, 'there is a log')
  t.match(log, /"url":"\/v1\/collections\/things\/search"/)
  for (const secret of [
    'SECRET',
    PRIVATE,
    'api_key',
    digestOf(FILED).toString('hex'),
    digestOf(ADMIN).toString('hex')
  ])
    t.same(
      log.split('\n').filter((line) => line.includes(secret)),
      [],
      secret
    )
})

t.test('a start that fails does not show a key either', async (t) => {
  const folder = t.testdir({
    'keys.json': JSON.stringify({ keys: [{ name: 'x', scope: 'read', sha256: FILED }] })
  })
  const logger = pino({ level: 'silent' })
  const start = (env: Record<string, string>) =>
    startServer({ config: readConfig({ ...env, DATA_DIR: folder, PORT: '0' }), logger })
  const environments: Record<string, string>[] = [
    { API_KEYS_FILE: join(folder, 'keys.json') },
    { API_KEYS_FILE: join(folder, 'none'), API_KEYS: `read:${READ}` },
    { AUDIT_LOG: folder, API_KEYS: `read:${READ}` }
  ]
  for (const env of environments) {
    try {
      await start(env)
      t.fail('it started')
    } catch (error) {
      t.notMatch((error as Error).stack, /SECRET/)
      t.match((error as Error).message, /keys\.json|none|AUDIT_LOG/)
    }
  }
})
