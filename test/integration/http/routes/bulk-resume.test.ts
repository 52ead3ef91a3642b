import { request as open } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { testServer } from '../../../fixtures/server.js'

const type = { 'content-type': 'application/x-ndjson' }
type Result = { line: number; id?: string | null; status: string; error?: { code: string } }

t.test('bulk loads that continue where they were', async (t) => {
  const { api, url } = await testServer(t)
  const base = '/v1/collections/own'
  await api('PUT', base, { model: null, dimension: 3 })
  const record = (n: number, id: string | undefined = `r${n}`) =>
    JSON.stringify({ id, metadata: { n }, embeddings: { image: [1, n, 0] } })
  const body = (count: number) => Array.from({ length: count }, (_, n) => record(n) + '\n').join('')
  const bulk = async (text: string, { key, from }: { key?: string; from?: number } = {}) => {
    const answer = await api(
      'POST',
      `${base}/records/bulk${from === undefined ? '' : `?from_line=${from}`}`,
      text,
      { headers: { ...type, ...(key !== undefined && { 'idempotency-key': key }) } }
    )
    const results: (Result & { error: { code: string; message: string } })[] =
      answer.status === 200
        ? answer.body
            .trim()
            .split('\n')
            .filter(Boolean)
            .map((line: string) => JSON.parse(line))
        : []
    const counts: Record<string, number> = {}
    for (const { status } of results) counts[status] = (counts[status] ?? 0) + 1
    return { ...answer, results, counts }
  }
  const load = async (key: string) => (await api('GET', `${base}/bulk/${encodeURIComponent(key)}`)).body

  t.test('the same again is skipped; more of it is loaded', async (t) => {
    t.same((await bulk(body(100), { key: 'one' })).counts, { created: 100 })
    t.match(await load('one'), {
      key: 'one',
      lines: 100,
      created: 100,
      updated: 0,
      failed: 0,
      completed: true,
      failures: [],
      updated_at: /Z$/
    })
    const again = await bulk(body(100), { key: 'one' })
    t.same(again.counts, { skipped: 100 })
    t.same(again.results[99], { line: 100, status: 'skipped' })
    const more = await bulk(body(150), { key: 'one' })
    t.same(more.counts, { skipped: 100, created: 50 })
    t.same(
      more.results.map(({ line }) => line),
      Array.from({ length: 150 }, (_, n) => n + 1)
    )
    t.match(await load('one'), { lines: 150, created: 150, updated: 0, completed: true })
    t.same(
      (await bulk(body(100), { key: 'another' })).counts,
      { updated: 100 },
      'another key is another load'
    )
  })

  t.test('from_line counts on; what leaves lines out is rejected', async (t) => {
    await bulk(body(70), { key: 'from' })
    const rest = await bulk([70, 71].map((n) => record(n, `f${n}`)).join('\n'), { key: 'from', from: 71 })
    t.same(
      rest.results.map(({ line, id, status }) => [line, id, status]),
      [
        [71, 'f70', 'created'],
        [72, 'f71', 'created']
      ]
    )
    t.match(await load('from'), { lines: 72, completed: true })
    const overlapping = await bulk([70, 71, 72].map((n) => record(n, `f${n}`)).join('\n'), {
      key: 'from',
      from: 71
    })
    t.same(
      overlapping.results.map(({ line, status }) => [line, status]),
      [
        [71, 'skipped'],
        [72, 'skipped'],
        [73, 'created']
      ]
    )
    t.match(await bulk(record(0), { key: 'from', from: 75 }), {
      status: 400,
      body: { error: { code: 'INVALID_REQUEST', message: /at most 74/ } }
    })
    t.match(await bulk(record(0), { from: 0 }), { status: 400 })
    t.match(
      (await bulk(record(0), { from: 1001 })).results,
      [{ line: 1001, status: 'updated' }],
      'without a key lines are only counted'
    )
    t.match(await bulk('', { key: 'nothing' }), { status: 200, body: '' })
    t.match(await load('nothing'), { lines: 0, completed: true })
  })

  t.test('failed lines are answers for good, and told again', async (t) => {
    const lines = [
      record(1, 'x1'),
      'no json',
      '',
      '{"id":"x2","embeddings":{"image":[1,2]}}',
      record(5, 'x5')
    ]
    const first = await bulk(lines.join('\n'), { key: 'failing' })
    t.same(first.counts, { created: 2, failed: 2 })
    const again = await bulk(lines.join('\n'), { key: 'failing' })
    t.same(again.counts, { skipped: 2, failed: 2 })
    t.same(
      again.results.filter(({ status }) => status === 'failed'),
      first.results.filter(({ status }) => status === 'failed')
    )
    t.match(await load('failing'), {
      lines: 5,
      created: 2,
      failed: 2,
      failures: [
        { line: 2, id: null, error: { code: 'INVALID_REQUEST' } },
        { line: 4, id: 'x2', error: { code: 'EMBEDDING_INVALID' } }
      ]
    })
    const many = Array(1300).fill('no json').join('\n')
    const ended = await bulk(many, { key: 'all failing' })
    t.same(ended.counts, { failed: 1000, undefined: 1 }, 'a thousand in a row end the load')
    t.match(ended.results.at(-1), { error: { code: 'INVALID_REQUEST', message: /1000 consecutive lines/ } })
    t.same(
      (await bulk(many, { key: 'all failing' })).counts,
      { failed: 1300 },
      'those are remembered, and do not end it again'
    )
    t.equal((await load('all failing')).failures.length, 1000)
    t.match(await load('all failing'), { lines: 1300, failed: 1300 })
  })

  t.test('another body under the same key is rejected before anything of it is written', async (t) => {
    await bulk(body(80), { key: 'body' })
    const before = (await api('GET', base)).body.records
    const other = await bulk(body(79) + record(79, 'other') + '\n' + record(80, 'new') + '\n', {
      key: 'body'
    })
    t.match(other.results.at(-1)!.error, { code: 'IDEMPOTENCY_KEY_REUSED', message: /lines up to 80/ })
    t.match((await bulk(body(5), { key: 'body' })).results.at(-1)!.error, {
      code: 'IDEMPOTENCY_KEY_REUSED',
      message: /ended at line 5/
    })
    t.equal((await api('GET', base)).body.records, before)
    t.match(await load('body'), { lines: 80, completed: true })
    t.same((await bulk(body(81), { key: 'body' })).counts, { skipped: 80, updated: 1 })
  })

  t.test('lines without an id get the same one each time', async (t) => {
    const lines = [1, 2].map((n) => JSON.stringify({ embeddings: { image: [1, n, 1] } })).join('\n')
    const first = await bulk(lines, { key: 'ids' })
    const [a, b] = first.results.map(({ id }) => id)
    t.match(
      [a, b],
      [/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/, /^[0-9a-f-]{36}$/]
    )
    t.not(a, b)
    await api('PUT', '/v1/collections/own2', { model: null, dimension: 3 })
    const elsewhere = await api('POST', '/v1/collections/own2/records/bulk', lines, {
      headers: { ...type, 'idempotency-key': 'ids' }
    })
    t.equal(JSON.parse(elsewhere.body.split('\n')[0]).id, a)
    t.match(await api('GET', '/v1/collections/own2/bulk/one'), {
      status: 404,
      body: { error: { code: 'BULK_LOAD_NOT_FOUND' } }
    })
  })

  t.test('keys: what is none, and all signs that are', async (t) => {
    for (const key of ['', 'é', 'a\tb', 'x'.repeat(256)])
      t.match(await bulk(record(0), { key }), { status: 400 }, JSON.stringify(key.slice(0, 9)))
    for (const key of ['x'.repeat(255), 'a b/c#%?"~!']) {
      t.match(await bulk(record(0), { key }), { status: 200 })
      t.match(await load(key), { key, lines: 1 })
    }
    t.match(await api('GET', '/v1/collections/nowhere/bulk/one'), {
      status: 404,
      body: { error: { code: 'COLLECTION_NOT_FOUND' } }
    })
  })

  t.test('one stream at a time; one that is cut off leaves its batches and can be resumed', async (t) => {
    const sending = open(`${url}${base}/records/bulk`, {
      method: 'POST',
      headers: { ...type, 'idempotency-key': 'cut' }
    })
    sending.on('error', () => undefined)
    const answered = new Promise<void>((resolve) =>
      sending.on('response', (response) => response.once('data', () => resolve()))
    )
    sending.write(body(64))
    await answered
    sending.write(body(74).slice(body(64).length))
    t.match(await bulk(body(200), { key: 'cut' }), {
      status: 409,
      body: { error: { code: 'BULK_LOAD_RUNNING' } }
    })
    t.same((await bulk(record(0), { key: 'beside' })).counts, { updated: 1 }, 'another key is not kept out')
    sending.destroy()
    let again = await bulk(body(200), { key: 'cut' })
    for (let tries = 0; again.status === 409 && tries < 100; tries++) {
      await sleep(20)
      again = await bulk(body(200), { key: 'cut' })
    }
    t.equal(again.counts.skipped, 64, 'the ten lines of the batch that was not full are not among them')
    t.equal(again.results.length, 200)
    t.match(await load('cut'), { lines: 200, completed: true })
  })

  t.test('a client that goes before it is answered anything leaves the key free', async (t) => {
    const sending = open(`${url}${base}/records/bulk`, {
      method: 'POST',
      headers: { ...type, 'idempotency-key': 'gone' }
    })
    sending.on('error', () => undefined)
    sending.flushHeaders()
    await sleep(50)
    sending.destroy()
    let again = await bulk(body(2), { key: 'gone' })
    for (let tries = 0; again.status === 409 && tries < 100; tries++) {
      await sleep(20)
      again = await bulk(body(2), { key: 'gone' })
    }
    t.equal(again.results.length, 2)
  })

  t.test('what ends a load is told while its client still sends', async (t) => {
    await api('PUT', '/v1/collections/short', { model: null, dimension: 3 })
    const sending = open(`${url}/v1/collections/short/records/bulk`, { method: 'POST', headers: type })
    let text = ''
    let answered!: () => void
    const first = new Promise<void>((resolve) => (answered = resolve))
    const ended = new Promise<void>((resolve, reject) => {
      sending.on('error', reject)
      sending.on('response', (response) => {
        response.on('data', (chunk) => {
          text += chunk
          answered()
        })
        response.on('end', resolve)
        response.on('error', reject)
      })
    })
    sending.write(body(64))
    await first
    await api('DELETE', '/v1/collections/short')
    sending.write(body(64))
    await ended
    t.match(JSON.parse(text.trim().split('\n').at(-1)!), {
      error: { code: 'COLLECTION_NOT_FOUND', request_id: String }
    })
    sending.end()
  })

  t.test('answers that are not read hold back what is taken in', async (t) => {
    await api('PUT', '/v1/collections/slow', { model: null, dimension: 3 })
    const sending = open(`${url}/v1/collections/slow/records/bulk`, {
      method: 'POST',
      headers: { ...type, 'idempotency-key': 'slow' }
    })
    const answering = new Promise<import('node:http').IncomingMessage>((resolve) =>
      sending.on('response', resolve)
    )
    // Lines whose answers are longer than they are; far more than the sockets between the two hold.
    const line = '{"embeddings":{"text":[1]}}\n'
    const count = 60_000
    let sent = 0
    const send = () => {
      while (sent < count) {
        sent += 1000
        if (!sending.write(line.repeat(1000))) return void sending.once('drain', send)
      }
      sending.end()
    }
    send()
    const response = await answering
    const taken = async () => (await api('GET', '/v1/collections/slow/bulk/slow')).body.lines ?? 0
    let [before, now] = [-1, 0]
    for (let tries = 0; before !== now && tries < 100; tries++) {
      before = now
      await sleep(1000)
      now = await taken()
    }
    t.ok(now > 0 && now < count * 0.75, `${now} of ${count} lines are taken in`)
    let answers = 0
    for await (const chunk of response) answers += String(chunk).split('\n').length - 1
    t.equal(answers, count)
    t.equal(await taken(), count)
  })
})
