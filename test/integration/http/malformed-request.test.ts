import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import t from 'tap'
import { answerMalformed } from '../../../src/http/malformed-request.js'
import { testServer } from '../../fixtures/server.js'

/**
 * Sends bytes as they are, and more once something has come back; resolves to all that came until the
 * connection was closed.
 */
async function raw(port: number, first: string, then?: string): Promise<string> {
  const socket: Socket = connect(port, '127.0.0.1')
  let answer = ''
  socket.on('data', (chunk) => {
    if (answer === '' && then !== undefined) socket.write(then)
    answer += chunk
  })
  socket.on('error', () => undefined)
  socket.write(first)
  await once(socket, 'close')
  return answer
}

function parse(answer: string) {
  const [head, body] = answer.split('\r\n\r\n')
  const [line, ...lines] = head.split('\r\n')
  const headers = Object.fromEntries(
    lines.map(
      (each) =>
        each.split(': ', 2).map((part, i) => (i === 0 ? part.toLowerCase() : part)) as [string, string]
    )
  )
  return { status: Number(line.split(' ')[1]), headers, body: JSON.parse(body) }
}

for (const origins of ['', 'https://friend.example']) {
  t.test(`what is no HTTP is answered as all else is, with ALLOWED_ORIGINS '${origins}'`, async (t) => {
    const { api, url } = await testServer(t, { ALLOWED_ORIGINS: origins })
    const port = Number(new URL(url).port)
    const known = (await api('GET', '/nowhere')).headers
    const ownOnly =
      /^(date|keep-alive|connection|content-length|vary|x-request-id|access-control-expose-headers)$/
    const usual = Object.fromEntries([...known].filter(([name]) => !ownOnly.test(name)))
    t.match(usual, { 'content-security-policy': /'none'/, 'cache-control': 'no-store' })
    const cases: [string, number][] = [
      ['NONSENSE\r\n\r\n', 400],
      ['GET / HTTP/9.9\r\n\r\n', 400],
      ['GET /health/live HTTP/1.1\r\nHost: localhost\r\nBad Header: x\r\n\r\n', 400],
      [
        'POST /v1/zero-shot HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: ' +
          'chunked\r\n\r\n',
        400
      ],
      [
        'POST /v1/zero-shot HTTP/1.1\r\nHost: localhost\r\nContent-Type: ' +
          'application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
        400
      ],
      [
        `POST /v1/zero-shot HTTP/1.1\r\nHost: localhost\r\nContent-Type: ` +
          `application/json\r\nTransfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(20_000)}\r\n`,
        413
      ],
      [`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`, 431]
    ]
    for (const [request, status] of cases) {
      const { headers, ...answer } = parse(await raw(port, request))
      t.match(
        answer,
        {
          status,
          body: { error: { code: 'INVALID_REQUEST', message: /\.$/, request_id: /^[0-9a-f-]{36}$/ } }
        },
        request.slice(0, 60)
      )
      t.match(headers, { ...usual, connection: 'close', 'x-request-id': answer.body.error.request_id })
    }
    const { status, headers } = await api('GET', '/%ff')
    t.match(
      { status, headers: Object.fromEntries(headers) },
      { status: 400, headers: usual },
      'and so is a path that can not be decoded'
    )
  })
}

t.test('an answer to HEAD has no body', async (t) => {
  const { url } = await testServer(t)
  const request = `HEAD /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`
  const [head, body] = (await raw(Number(new URL(url).port), request)).split('\r\n\r\n')
  t.match(head, /^HTTP\/1\.1 431 /)
  t.equal(body, '')
})

t.test('an answer that is on its way is cut off, with no other in it', async (t) => {
  const { api, url } = await testServer(t)
  await api('PUT', '/v1/collections/things', { model: null, dimension: 4 })
  // Enough for the first answers to come.
  const lines = `${JSON.stringify({ id: 'a', embeddings: { image: [1, 0, 0, 0] } })}\n`.repeat(2000)
  const load =
    'POST /v1/collections/things/records/bulk HTTP/1.1\r\nHost: localhost\r\nContent-Type: ' +
    'application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n'
  const answer = await raw(
    Number(new URL(url).port),
    `${load}${lines.length.toString(16)}\r\n${lines}\r\n`,
    'zz\r\n'
  )
  t.match(answer, /^HTTP\/1\.1 200 OK/)
  t.equal(answer.split('HTTP/1.1').length, 2)
  t.notMatch(answer, /INVALID_REQUEST/)
})

t.test('what does not come in time is answered 408', async (t) => {
  const server = createServer(
    { headersTimeout: 50, requestTimeout: 100, connectionsCheckingInterval: 20 },
    (_, response) => response.end()
  )
  server.on('clientError', answerMalformed({ ALLOWED_ORIGINS: [] }))
  server.listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const answer = parse(await raw((server.address() as AddressInfo).port, 'GET / HTTP/1.1\r\nHost: loc'))
  t.match(answer, {
    status: 408,
    headers: { connection: 'close', 'x-content-type-options': 'nosniff' },
    body: { error: { code: 'REQUEST_TIMEOUT', message: /in time/ } }
  })
})
