import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { solid } from '../../../fixtures/images.js'
import { testServer, type Api } from '../../../fixtures/server.js'

/** Pictures that look alike and are not the same: what follows the end of one changes nothing. */
async function pictures(): Promise<() => { base64: string }> {
  const picture = await solid('red', { width: 900, height: 900 })
  let made = 0
  return () => ({ base64: Buffer.concat([picture, Buffer.from(String(made++))]).toString('base64') })
}

async function metric(api: Api, name: string): Promise<number> {
  const { body } = await api('GET', '/metrics')
  return [...(body as string).matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'gm'))].reduce(
    (sum, [, value]) => sum + Number(value),
    0
  )
}

/** What waits anywhere. */
const waiting = async (api: Api) =>
  (await metric(api, 'semblance_encoder_queue_length')) + (await metric(api, 'semblance_store_queue_length'))

const BUSY = { EMBEDDING_CACHE_MIB: '0' }
/** Images that keep the mini model busy for seconds. */
const MANY = 400

t.test('a request timeout that is none is a 400 that says what one is', async (t) => {
  const { api } = await testServer(t)
  for (const value of ['soon', '0', '-1', '1e3', '3600.5', '1 s', '0.0001', 'NaN']) {
    t.match(
      await api('GET', '/v1/models', undefined, { headers: { 'x-request-timeout': value } }),
      {
        status: 400,
        body: { error: { code: 'INVALID_REQUEST', message: /X-Request-Timeout must be a number of seconds/ } }
      },
      value
    )
  }
  for (const value of ['1', '0.5', '3600', '20.25'])
    t.match(
      await api('GET', '/v1/models', undefined, { headers: { 'x-request-timeout': value } }),
      { status: 200 },
      value
    )
})

/** Calls of every route that waits for a tower or the store. */
function calls(picture: () => { base64: string }): [string, string, unknown][] {
  return [
    ['POST', '/v1/embeddings', { input: { image: picture() } }],
    ['POST', '/v1/embeddings', { input: 'words' }],
    ['POST', '/v1/similarity', { images: [picture(), picture()], texts: ['a', 'b'] }],
    ['POST', '/v1/zero-shot', { image: picture(), labels: ['a', 'b'], templates: 'imagenet-80' }],
    ['POST', '/v1/collections/things/search/text-to-image', { text: 'other words' }],
    ['POST', '/v1/collections/things/search/image-to-text', { image: picture() }],
    ['POST', '/v1/collections/things/search', { query: [{ image: picture() }, { text: 'more words' }] }],
    ['GET', '/v1/collections/things/search?text=plain%20words', undefined],
    [
      'POST',
      '/v1/collections/things/records',
      {
        records: [
          { id: 'late', image: picture() },
          { id: 'later', text: 'late words' }
        ]
      }
    ],
    ['PATCH', '/v1/collections/things/records/there', { image: picture() }]
  ]
}

/** Occupies both towers; resolves to what stops it, once they have begun. */
async function occupy(api: Api, picture: () => { base64: string }): Promise<() => Promise<void>> {
  const controller = new AbortController()
  const load = (input: unknown[]) =>
    api('POST', '/v1/embeddings', { input }, { signal: controller.signal }).catch(() => undefined)
  // Each within the limit of a body.
  const loads = [
    ...Array.from({ length: 4 }, () => load(Array.from({ length: MANY / 4 }, () => ({ image: picture() })))),
    ...Array.from({ length: 4 }, (_, n) =>
      load(Array.from({ length: 2000 }, (_, i) => `text ${n} ${i} ${'of many words '.repeat(20)}`))
    )
  ]
  while ((await metric(api, 'semblance_encoder_queue_length')) < 1000) await sleep(5)
  return async () => {
    controller.abort()
    await Promise.all(loads)
  }
}

t.test(
  'when the time is over the answer is 504, on every route that waits, and nothing of it waits on',
  async (t) => {
    const { api } = await testServer(t, {
      ...BUSY,
      MAX_QUEUE_MS: '0',
      MAX_BULK_QUEUE_MS: '0',
      QUEUE_SIZE: '100000'
    })
    const picture = await pictures()
    await api('PUT', '/v1/collections/things')
    await api('POST', '/v1/collections/things/records', { records: [{ id: 'there', text: 'x' }] })
    const stop = await occupy(api, picture)
    const answers = await Promise.all(
      calls(picture).map(async ([method, path, body]) => ({
        path,
        answer: await api(method, path, body, { headers: { 'x-request-timeout': '0.1' } })
      }))
    )
    await stop()
    for (const { path, answer } of answers) {
      const [status, code] = answer.status === 429 ? [429, 'QUEUE_FULL'] : [504, 'DEADLINE_EXCEEDED']
      t.match(answer, { status, body: { error: { code, message: /./, request_id: /./ } } }, path)
      if (status === 429)
        t.ok(Number(answer.headers.get('retry-after')) >= 1, `${path}: the queue could not meet the deadline`)
    }
    t.ok(answers.some(({ answer }) => answer.status === 504))
    while ((await waiting(api)) > 0) await sleep(20)
    t.pass('the queues are empty')
    t.match(await api('GET', '/v1/collections/things'), { body: { records: 1 } }, 'nothing was written')
    t.match(
      await api(
        'POST',
        '/v1/embeddings',
        { input: { image: picture() } },
        { headers: { 'x-request-timeout': '60' } }
      ),
      { status: 200 }
    )
  }
)

t.test('what was asked for by clients that have gone is dropped, on every route', async (t) => {
  const { api } = await testServer(t, {
    ...BUSY,
    MAX_QUEUE_MS: '0',
    MAX_BULK_QUEUE_MS: '0',
    QUEUE_SIZE: '100000'
  })
  const picture = await pictures()
  await api('PUT', '/v1/collections/things')
  await api('POST', '/v1/collections/things/records', { records: [{ id: 'there', text: 'x' }] })
  const stop = await occupy(api, picture)
  const controller = new AbortController()
  const gone = calls(picture).map(([method, path, body]) =>
    api(method, path, body, { signal: controller.signal }).then(
      ({ status }) => status,
      () => 'gone'
    )
  )
  await sleep(100)
  controller.abort()
  t.same(new Set(await Promise.all(gone)), new Set(['gone']))
  await stop()
  while ((await waiting(api)) > 0) await sleep(20)
  const encoded = await metric(api, 'semblance_tower_inputs_total')
  t.ok(encoded < MANY + 8000, `${encoded} inputs were encoded, the others dropped`)
  t.match(await api('GET', '/v1/collections/things'), { body: { records: 1 } })
})

t.test('one failed part drops the rest of its request', async (t) => {
  const { api } = await testServer(t, BUSY)
  const picture = await pictures()
  const images = [
    { base64: Buffer.from('no picture').toString('base64') },
    ...Array.from({ length: 60 }, picture)
  ]
  t.match(await api('POST', '/v1/zero-shot', { images, labels: ['a', 'b'] }), { status: 415 })
  while ((await waiting(api)) > 0) await sleep(5)
  const encoded = await metric(api, 'semblance_tower_inputs_total')
  t.ok(encoded < 61, `${encoded} inputs were encoded`)
})

t.test('a queue that is too slow turns requests away with its wait, and health stays green', async (t) => {
  const { api } = await testServer(t, { ...BUSY, MAX_QUEUE_MS: '300' })
  const picture = await pictures()
  const load = Array.from({ length: 3 }, () =>
    api('POST', '/v1/embeddings', { input: Array.from({ length: 100 }, () => ({ image: picture() })) })
  )
  while ((await metric(api, 'semblance_queue_expected_wait_seconds')) < 0.5) await sleep(10)
  const refused = await api('POST', '/v1/embeddings', { input: { image: picture() } })
  t.match(refused, { status: 429, body: { error: { code: 'QUEUE_FULL' } } })
  t.ok(Number(refused.headers.get('retry-after')) >= 1)
  t.match(await api('GET', '/health/live'), { status: 200 })
  t.match(await api('GET', '/health/ready'), { status: 200, body: { status: 'ready' } })
  t.match(await api('POST', '/v1/embeddings', { input: 'texts have a queue of their own' }), { status: 200 })
  await Promise.all(load)
  t.match(
    await api('POST', '/v1/embeddings', { input: { image: picture() } }),
    { status: 200 },
    'and then it takes work again'
  )
})

t.test('a bulk load waits where records are turned away', async (t) => {
  const { api } = await testServer(t, { ...BUSY, QUEUE_SIZE: '8' })
  const picture = await pictures()
  await api('PUT', '/v1/collections/things', { storage: 'none' })
  const lines = (from: string) =>
    Array.from({ length: 130 }, (_, i) => JSON.stringify({ id: `${from}${i}`, image: picture() })).join('\n')
  const bulk = (from: string) =>
    api('POST', '/v1/collections/things/records/bulk', lines(from), {
      headers: { 'content-type': 'application/x-ndjson' }
    })
  const loads = Promise.all([bulk('a'), bulk('b'), bulk('c')])
  const statuses = new Set<number>()
  for (let i = 0; i < 200 && !statuses.has(429); i++) {
    statuses.add(
      (await api('POST', '/v1/collections/things/records', { records: [{ image: picture() }] })).status
    )
  }
  t.ok(statuses.has(429))
  for (const { body } of await loads) {
    const results = (body as string)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    t.equal(results.length, 130)
    t.ok(results.every(({ status }) => status === 'created'))
  }
})

t.test('the deadline of a bulk load is its last line', async (t) => {
  const { api } = await testServer(t, { ...BUSY, REQUEST_TIMEOUT_MS: '50' })
  const picture = await pictures()
  t.match(await api('PUT', '/v1/collections/things', undefined, { headers: { 'x-request-timeout': '60' } }), {
    status: 201
  })
  const body = Array.from({ length: 200 }, (_, i) => JSON.stringify({ id: `r${i}`, image: picture() })).join(
    '\n'
  )
  const bulk = (headers: Record<string, string>) =>
    api('POST', '/v1/collections/things/records/bulk', body, {
      headers: { 'content-type': 'application/x-ndjson', ...headers }
    })
  const { status, body: answer } = await bulk({ 'x-request-timeout': '1' })
  t.equal(status, 200)
  const lines = (answer as string)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.match(lines.at(-1), { error: { code: 'DEADLINE_EXCEEDED', request_id: /./ } })
  const {
    body: { records }
  } = await api('GET', '/v1/collections/things', undefined, { headers: { 'x-request-timeout': '60' } })
  t.ok(records >= lines.length - 1, 'what was acknowledged is there')
  t.equal(records % 64, 0, 'and no half of a batch')
  const { body: whole } = await bulk({})
  t.equal((whole as string).trim().split('\n').length, 200, 'the default ends no stream')
})
