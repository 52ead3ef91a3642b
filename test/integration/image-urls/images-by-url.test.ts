import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { readConfig } from '../../../src/config.js'
import { hostRules, type HostLists } from '../../../src/image-urls/host-rules.js'
import { reachOf } from '../../../src/image-urls/reach.js'
import { golden } from '../../fixtures/images.js'
import { startPictureHost, type Answer } from '../../fixtures/picture-host.js'
import { testServer } from '../../fixtures/server.js'

const portrait = await golden('portrait.jpg')
const base64 = portrait.toString('base64')
const picture: Answer = (response) => void response.writeHead(200).end(portrait)

t.test('everywhere that an image is taken, an url stands for its bytes', async (t) => {
  const host = await startPictureHost(t, {
    '/ok': (...given) => void setTimeout(() => picture(...given), 20)
  })
  const { api } = await testServer(t, {
    IMAGE_URLS: 'true',
    IMAGE_URL_PRIVATE_HOSTS: `127.0.0.1:${host.port}`,
    IMAGE_URL_REDIRECTS: '0'
  })
  const url = `http://127.0.0.1:${host.port}/ok?signature=secret`
  const gone = `http://127.0.0.1:${host.port}/gone`
  await api('PUT', '/v1/collections/things')
  const both = async (path: string, body: (image: object) => object) => {
    const [fetched, sent] = [
      await api('POST', path, body({ url })),
      await api('POST', path, body({ base64 }))
    ]
    t.equal(fetched.status, 200, path)
    t.same({ ...fetched.body, took_ms: 0 }, { ...sent.body, took_ms: 0 }, path)
    t.match(await api('POST', path, body({ url: gone })), {
      status: 422,
      body: {
        error: {
          code: 'IMAGE_URL_FAILED',
          message: 'The image could not be fetched from its URL: its host answered 404.'
        }
      }
    })
    t.match(await api('POST', path, body({ url: 'http://127.0.0.1/' })), {
      status: 422,
      body: { error: { code: 'IMAGE_URL_REFUSED' } }
    })
  }
  await both('/v1/embeddings', (image) => ({ input: ['a dog', { image }] }))
  await both('/v1/similarity', (image) => ({ texts: ['a dog'], images: [{ base64 }, image] }))
  await both('/v1/zero-shot', (image) => ({ images: [image], labels: ['a dog', 'a car'] }))
  await both('/v1/collections/things/search', (image) => ({ query: [{ image }, { text: 'red' }] }))
  await both('/v1/collections/things/search/image-to-text', (image) => ({ image }))

  t.test('a record whose image does not come fails alone', async (t) => {
    const { status, body } = await api('POST', '/v1/collections/things/records', {
      records: [
        { id: 'url', image: { url } },
        { id: 'gone', image: { url: gone } },
        { id: 'inside', image: { url: 'http://10.0.0.1/' } },
        { id: 'sent', image: { base64 } }
      ]
    })
    t.equal(status, 200)
    t.same(
      body.results.map(({ id, status, error }: { id: string; status: string; error?: { code: string } }) => [
        id,
        error?.code ?? status
      ]),
      [
        ['url', 'created'],
        ['gone', 'IMAGE_URL_FAILED'],
        ['inside', 'IMAGE_URL_REFUSED'],
        ['sent', 'created']
      ]
    )
    t.match(await api('PATCH', '/v1/collections/things/records/sent', { image: { url } }), { status: 200 })
    t.match(await api('PATCH', '/v1/collections/things/records/sent', { image: { url: gone } }), {
      status: 422,
      body: { error: { code: 'IMAGE_URL_FAILED' } }
    })
  })

  t.test('bulk: in the order sent, each by itself, never more at a time than the host bears', async (t) => {
    const lines = Array.from({ length: 100 }, (_, i) => ({
      id: `b${i}`,
      image: { url: i % 10 === 3 ? gone : url },
      text: `number ${i}`
    }))
    const { body } = await api(
      'POST',
      '/v1/collections/things/records/bulk',
      lines.map((line) => JSON.stringify(line)).join('\n'),
      { headers: { 'content-type': 'application/x-ndjson' } }
    )
    const answers = (body as string)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    t.same(
      answers.map(({ line, id, status, error }) => [line, id, error?.code ?? status]),
      lines.map(({ id }, i) => [i + 1, id, i % 10 === 3 ? 'IMAGE_URL_FAILED' : 'created'])
    )
    t.ok(host.most() > 1 && host.most() <= 6, `${host.most()} at a time`)
  })

  const { body: metrics } = await api('GET', '/metrics')
  t.match(metrics, /semblance_image_fetch_duration_seconds_count\{outcome="fetched"\} \d/)
  t.match(metrics, /semblance_image_fetch_duration_seconds_count\{outcome="refused"\} \d/)
  t.notOk(
    (
      await api('POST', '/v1/embeddings', {
        input: { image: { url: `http://127.0.0.1:${host.port}/ok`, base64 } }
      })
    ).status === 200,
    'one of both'
  )
})

t.test('what no one waits for any more is dropped', async (t) => {
  const host = await startPictureHost(t, { '/silent': () => {}, '/ok': picture })
  const { api } = await testServer(t, {
    IMAGE_URLS: 'true',
    IMAGE_URL_PRIVATE_HOSTS: `127.0.0.1:${host.port}`,
    IMAGE_URL_TIMEOUT_MS: '60000',
    QUEUE_SIZE: '2',
    IMAGE_URL_HOST_CONCURRENCY: '1'
  })
  const silent = { image: { url: `http://127.0.0.1:${host.port}/silent` } }
  const caller = new AbortController()
  const asked = [1, 2, 3].map(() =>
    api('POST', '/v1/embeddings', { input: silent }, { signal: caller.signal }).catch((error) => error.name)
  )
  while (host.requests.length === 0) await sleep(5)
  // Once two wait for the one slot, others are turned away.
  let answer = await api('POST', '/v1/embeddings', { input: { image: { url: 'http://10.0.0.1/' } } })
  for (let tries = 0; answer.status !== 429 && tries < 400; tries++) {
    await sleep(5)
    answer = await api('POST', '/v1/embeddings', { input: { image: { url: 'http://10.0.0.1/' } } })
  }
  t.match(answer, { status: 429, body: { error: { code: 'QUEUE_FULL' } } })
  caller.abort()
  t.same(await Promise.all(asked), ['AbortError', 'AbortError', 'AbortError'])
  for (let tries = 0; host.connections.open > 0 && tries < 400; tries++) await sleep(5)
  t.equal(host.connections.open, 0)
  t.match(
    await api('POST', '/v1/embeddings', { input: { image: { url: `http://127.0.0.1:${host.port}/ok` } } }),
    { status: 200 },
    'the slot is free again'
  )
})

t.test('one request may name no more by url than its body could hold', async (t) => {
  const half = Buffer.concat([portrait, Buffer.alloc(700_000)])
  const host = await startPictureHost(t, { '/half': (response) => void response.writeHead(200).end(half) })
  const { api } = await testServer(t, {
    IMAGE_URLS: 'true',
    IMAGE_URL_PRIVATE_HOSTS: `127.0.0.1:${host.port}`,
    MAX_IMAGE_MIB: '1'
  })
  const image = { url: `http://127.0.0.1:${host.port}/half` }
  t.match(await api('POST', '/v1/embeddings', { input: { image } }), { status: 200 })
  t.match(await api('POST', '/v1/embeddings', { input: [{ image }, { image }] }), {
    status: 413,
    body: { error: { code: 'IMAGE_TOO_LARGE' } }
  })
})

const lists: HostLists = { allowed: [], denied: [], private: [], ports: ['80', '443'] }
const answerOf = (rules: Partial<HostLists>, url: string) => {
  try {
    return hostRules({ ...lists, ...rules }).check(url).href
  } catch (error) {
    return (error as { code?: string }).code ?? (error as Error).message
  }
}

t.test('lists of hosts', async (t) => {
  const allowed = ['example.com', '*.cdn.example.com', '[2606:4700::1111]', 'bücher.example']
  for (const url of [
    'https://example.com/a',
    'http://EXAMPLE.com./a',
    'http://a.b.cdn.example.com/',
    'http://[2606:4700:0:0::1111]/',
    'http://xn--bcher-kva.example/'
  ])
    t.match(answerOf({ allowed }, url), /^http/, url)
  for (const url of [
    'https://www.example.com/',
    'http://cdn.example.com/',
    'http://evilcdn.example.com/',
    'http://example.com.evil.test/',
    'http://example.com:8080/',
    'http://1.1.1.1/'
  ])
    t.equal(answerOf({ allowed }, url), 'IMAGE_URL_REFUSED', url)
  t.equal(
    answerOf({ allowed, denied: ['a.cdn.example.com'] }, 'http://a.cdn.example.com/'),
    'IMAGE_URL_REFUSED',
    'denied wins'
  )
  t.match(
    answerOf({ allowed, private: ['store.internal:9000'] }, 'http://store.internal:9000/a'),
    /^http/,
    'a private host is allowed'
  )
  t.equal(
    answerOf({ denied: ['store.internal'], private: ['store.internal'] }, 'http://store.internal/'),
    'IMAGE_URL_REFUSED'
  )
  const { mayBePrivate } = hostRules({ ...lists, private: ['a.test:9000', '*.b.test'] })
  t.same(
    [
      mayBePrivate('a.test', 9000),
      mayBePrivate('a.test', 80),
      mayBePrivate('x.b.test', 443),
      mayBePrivate('x.b.test', 9000),
      mayBePrivate('b.test', 80)
    ],
    [true, false, true, false, false]
  )
})

t.test('settings that say nothing are rejected at the start', async (t) => {
  for (const value of ['http://example.com', 'a b', '*', 'a/b', '*.*.com', 'user@host'])
    t.throws(() => readConfig({ IMAGE_URL_ALLOWED_HOSTS: value }), /is not a host/, value)
  t.throws(() => readConfig({ IMAGE_URL_DENIED_HOSTS: 'example.com:80' }), /without a port/)
  t.throws(() => readConfig({ IMAGE_URL_PORTS: '80,http' }), /is not a port/)
  t.throws(() => readConfig({ IMAGE_URL_PRIVATE_HOSTS: 'a.test:99999' }), /not a port|not a host/)
  t.throws(() => readConfig({ IMAGE_URL_NAME_SERVERS: 'dns.example' }), /IMAGE_URL_NAME_SERVERS/)
})

t.test('whom an address leads to', async (t) => {
  const expected = {
    public: ['1.1.1.1', '93.184.215.14', '2606:4700::1111', '64:ff9b::101:101', '::ffff:8.8.8.8'],
    private: [
      '127.0.0.1',
      '10.1.1.1',
      '172.16.0.1',
      '192.168.0.1',
      '100.127.255.255',
      '::1',
      'fd00::1',
      '::ffff:10.0.0.1'
    ],
    special: [
      '0.0.0.0',
      '169.254.1.1',
      '224.0.0.1',
      '255.255.255.255',
      '192.0.2.1',
      '::',
      'fe80::1',
      'ff02::1',
      '::7f00:1',
      '::808:808',
      '2002:808:808::1',
      '2001::1',
      '2001:db8::1',
      '64:ff9b:1::101:101',
      '64:ff9b::a00:1',
      '::ffff:0:808:808',
      '4000::1'
    ]
  }
  for (const [reach, addresses] of Object.entries(expected))
    for (const address of addresses) t.equal(reachOf(address), reach, address)
})
