import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import {
  createClient,
  embeddingOf,
  imageOf,
  SemblanceError,
  type BulkAnswer
} from '../../../src/client/client.js'
import { solid } from '../../fixtures/images.js'
import { startProxy } from '../../fixtures/lossy-proxy.js'
import { testServer } from '../../fixtures/server.js'

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

const texts = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ id: `r${i + 1}`, text: `text number ${i + 1}` }))

t.test('against a service', async (t) => {
  const { url } = await testServer(t, { MODELS_DIR: 'test/fixtures/towers', MODELS: 'clip,openclip' })
  const client = createClient({ url })
  const path = { collection: 'pets' }
  await client.put('/v1/collections/{collection}', { params: { path }, body: {} })
  const picture = await solid('red')

  t.test('a file is uploaded, searched by and fetched', async (t) => {
    t.match(
      await client.upload('pets', {
        image: new Blob([picture]),
        id: 'rex',
        text: 'a dog',
        metadata: { kind: 'dog' }
      }),
      { id: 'rex', status: 'created' }
    )
    const form = new FormData()
    form.append('image', new Blob([picture]), 'rex.png')
    t.equal(
      (
        await client.post('/v1/collections/{collection}/search/image-to-text', {
          params: { path },
          body: form
        })
      ).matches[0].id,
      'rex'
    )
    const blob = await client.get('/v1/collections/{collection}/records/{id}/image', {
      params: { path: { ...path, id: 'rex' } },
      parseAs: 'blob'
    })
    t.same(Buffer.from(await blob.arrayBuffer()), picture)
    const { matches } = await client.post('/v1/collections/{collection}/search', {
      params: { path },
      body: { query: { image: await imageOf(picture) } }
    })
    t.equal(matches[0].id, 'rex')
  })

  t.test('embeddings come as base64 too', async (t) => {
    const { data } = await client.post('/v1/embeddings', {
      body: { input: 'a dog', encoding_format: 'base64' }
    })
    const plain = await client.post('/v1/embeddings', { body: { input: 'a dog' } })
    t.same(
      [...embeddingOf(data[0].embedding as string)],
      [...Float32Array.from(plain.data[0].embedding as number[])]
    )
  })

  for (const stream of [true, false]) {
    t.test(stream ? 'a load is streamed' : 'a load goes in batches', async (t) => {
      const name = stream ? 'streamed' : 'batches'
      await client.put('/v1/collections/{collection}', { params: { path: { collection: name } }, body: {} })
      const answers = await collect(client.bulk(name, [...texts(300), { id: 'bad' }], { stream }))
      t.equal(answers.length, 301)
      t.same(
        answers.map(({ line }) => line),
        Array.from({ length: 301 }, (_, i) => i + 1)
      )
      t.match(answers[300], { line: 301, id: 'bad', status: 'failed', error: { code: 'RECORD_INVALID' } })
      t.equal((await collect(client.records(name, { limit: 70 }))).length, 300)
      const raw = await collect(
        client.bulk(
          name,
          ['{"id": "raw", "text": "as it is"}', '{broken', { id: 'record', text: 'made a line' }],
          { stream }
        )
      )
      t.match(raw, [
        { id: 'raw', status: 'created' },
        { line: 2, status: 'failed', error: { code: 'INVALID_REQUEST' } },
        { id: 'record', status: 'created' }
      ])
      await t.rejects(collect(client.bulk('nowhere', texts(1), { stream })), {
        status: 404,
        code: 'COLLECTION_NOT_FOUND'
      })
      const broken = (function* () {
        yield { text: 'one' }
        throw new Error('no more')
      })()
      await t.rejects(collect(client.bulk(name, broken, { stream })), { message: 'no more' })
    })

    t.test(
      `a load under a key continues after a lost connection, ${stream ? 'streamed' : 'in batches'}`,
      async (t) => {
        const name = stream ? 'lossy-streamed' : 'lossy-batches'
        await client.put('/v1/collections/{collection}', { params: { path: { collection: name } }, body: {} })
        const proxy = await startProxy(t, url)
        const answers: BulkAnswer[] = []
        for await (const answer of createClient({ url: proxy.url, retries: 6 }).bulk(name, texts(1500), {
          idempotencyKey: 'k',
          stream
        })) {
          answers.push(answer)
          if (answer.line === 200 || answer.line === 700) proxy.cut()
        }
        t.ok(proxy.cuts() >= 2, 'connections were cut')
        t.same(
          answers.map(({ line }) => line),
          Array.from({ length: 1500 }, (_, i) => i + 1),
          'every line is answered once, in order'
        )
        t.equal(
          (await client.get('/v1/collections/{collection}', { params: { path: { collection: name } } }))
            .records,
          1500
        )
        const again = await collect(client.bulk(name, texts(1500), { idempotencyKey: 'k', stream }))
        t.ok(again.every(({ status }) => status === 'skipped'))
        t.equal(again.length, 1500)
      }
    )
  }

  t.test('a job is followed to its end', async (t) => {
    const job = await client.post('/v1/collections/{collection}/reindex', {
      params: { path },
      body: { model: 'openclip', skip_missing: true }
    })
    t.equal((await collect(client.events(job.id))).at(-1)?.state, 'done')
    await t.rejects(collect(client.events('3f0e8a52-8c38-4b7e-8f2a-6d0f4f8f7a11')), { code: 'JOB_NOT_FOUND' })
  })
})

/** A server on loopback that answers as told. */
async function listening(t: Test, answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const shown = JSON.stringify({ collections: [] })
const refusal = (code: string) => JSON.stringify({ error: { code, message: 'Later.', request_id: 'r1' } })

t.test('429 and 503 are waited out, by seconds or until a date', async (t) => {
  let calls = 0
  const url = await listening(t, (_, reply) => {
    calls++
    if (calls === 1) reply.writeHead(429, { 'retry-after': '0' }).end(refusal('QUEUE_FULL'))
    else if (calls === 2)
      reply.writeHead(503, { 'retry-after': new Date().toUTCString() }).end(refusal('CLOSED'))
    else reply.setHeader('content-type', 'application/json').end(shown)
  })
  t.same(await createClient({ url }).get('/v1/collections'), { collections: [] })
  t.equal(calls, 3)
})

t.test('no more tries than asked for, and no wait that is too long', async (t) => {
  let calls = 0
  let wait = '0'
  const url = await listening(t, (_, reply) => {
    calls++
    reply.writeHead(429, { 'retry-after': wait }).end(refusal('RATE_LIMITED'))
  })
  await t.rejects(
    createClient({ url, retries: 2 }).get('/v1/collections'),
    new SemblanceError({
      status: 429,
      code: 'RATE_LIMITED',
      message: 'Later.',
      requestId: 'r1',
      retryAfter: 0
    })
  )
  t.equal(calls, 3)
  wait = '3600'
  t.match(
    await createClient({ url })
      .get('/v1/collections')
      .catch((error) => error),
    { retryAfter: 3600 }
  )
  t.equal(calls, 4)
  wait = '30'
  const leaving = new AbortController()
  const call = createClient({ url }).get('/v1/collections', { signal: leaving.signal })
  setTimeout(() => leaving.abort(new Error('left')), 50)
  await t.rejects(call, { message: 'left' })
  t.equal(calls, 5)
})

t.test('after a lost connection only what may be done twice is sent again', async (t) => {
  const calls: string[] = []
  const url = await listening(t, (request, reply) => {
    calls.push(`${request.method} ${request.url}`)
    if (calls.length === 1) request.socket.destroy()
    else
      reply
        .setHeader('content-type', 'application/json')
        .end('{"results": [{"id": "a", "status": "created"}]}')
  })
  const client = createClient({ url })
  const send = { params: { path: { collection: 'pets' } }, body: { records: [{ text: 'no id' }] } }
  await t.rejects(client.post('/v1/collections/{collection}/records', send))
  t.equal(calls.length, 1)
  calls.length = 0
  await client.get('/v1/collections')
  t.equal(calls.length, 2)
  calls.length = 0
  t.match(await client.upload('pets', { id: 'a', image: new Uint8Array(3) }), { status: 'created' })
  t.equal(calls.length, 2)
  calls.length = 0
  await t.rejects(client.upload('pets', { image: new Uint8Array(3) }))
  t.equal(calls.length, 1)
})

t.test('a load ends where it cannot continue', async (t) => {
  let calls = 0
  let answer: RequestListener
  const url = await listening(t, (request, reply) => {
    if (request.method === 'GET') return void reply.writeHead(404).end()
    calls++
    request.resume().on('end', () => answer(request, reply))
  })
  for (const stream of [true, false]) {
    calls = 0
    answer = (_, reply) => void reply.writeHead(503, { 'retry-after': '3600' }).end(refusal('CLOSED'))
    await t.rejects(collect(createClient({ url }).bulk('pets', texts(2), { idempotencyKey: 'k', stream })), {
      code: 'CLOSED',
      retryAfter: 3600
    })
    t.equal(calls, 1, 'what is to be waited for longer than a minute is told')
    const ends = [
      ['', 'No record was answered; later'],
      [
        '{"line": 1, "id": "r1", "status": "created"}\n',
        'Records up to 1 were answered; later ones may also be stored. To continue, send those from 2 ' +
          'on, with fromLine.'
      ]
    ]
    for (const [body, told] of ends) {
      calls = 0
      answer = (_, reply) => void reply.end(body)
      await t.rejects(collect(createClient({ url }).bulk('pets', texts(2), { stream })), {
        name: 'TypeError',
        message: told
      })
      t.equal(calls, 1, 'answers that are missing are no end')
    }
  }
})

t.test('a write that may have happened is not sent again without an id', async (t) => {
  let calls = 0
  const url = await listening(t, (_, reply) => {
    calls++
    reply.writeHead(503, { 'retry-after': '0' }).end(refusal('WORKER_DIED'))
  })
  await t.rejects(createClient({ url }).upload('pets', { image: new Uint8Array(3) }), { code: 'WORKER_DIED' })
  t.equal(calls, 1)
})

t.test(
  'a job whose events break off is asked for again until it has ended, or nothing comes any more',
  async (t) => {
    const event = (state: string, done: number) =>
      `event: ${state === 'running' ? 'progress' : 'end'}\ndata: ` +
      `${JSON.stringify({ id: 'j', state, progress: { done, total: 3 } })}\n\n`
    const begin = (reply: ServerResponse) => reply.writeHead(200, { 'content-type': 'text/event-stream' })
    const steps: ((reply: ServerResponse) => void)[] = [
      (reply) => begin(reply).write(event('running', 1), () => reply.destroy()),
      (reply) => reply.destroy(),
      (reply) => reply.writeHead(503, { 'retry-after': '0' }).end(refusal('CLOSED')),
      (reply) => begin(reply).end(event('running', 2)),
      // What is cut in the middle says nothing.
      (reply) => begin(reply).end(event('done', 3).slice(0, -2)),
      (reply) => begin(reply).end(event('done', 3))
    ]
    let calls = 0
    const url = await listening(t, (_, reply) => steps[calls++](reply))
    const states = await collect(createClient({ url, retries: 3 }).events('j'))
    t.same(
      states.map(({ progress }) => progress.done),
      [1, 2, 3]
    )
    t.equal(calls, steps.length)

    let silent = 0
    const broken = await listening(t, (_, reply) => void (silent++, begin(reply).end(':\n\n')))
    await t.rejects(collect(createClient({ url: broken, retries: 9 }).events('j', { retries: 1 })), {
      name: 'TypeError',
      message: 'The connection was lost before the job ended.'
    })
    t.equal(silent, 2)
    const stop = AbortSignal.timeout(50)
    await t.rejects(collect(createClient({ url: broken }).events('j', { signal: stop })), {
      name: 'TimeoutError'
    })
    let asked = 0
    const missing = await listening(
      t,
      (_, reply) => void (asked++, reply.writeHead(404).end(refusal('JOB_NOT_FOUND')))
    )
    await t.rejects(collect(createClient({ url: missing }).events('j')), { code: 'JOB_NOT_FOUND' })
    t.equal(asked, 1)
  }
)
