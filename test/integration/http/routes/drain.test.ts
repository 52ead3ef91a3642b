import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { solid } from '../../../fixtures/images.js'
import { testServer, type Api } from '../../../fixtures/server.js'

/** Waits until a port takes no more connections. */
async function whenRefused(port: number): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    const socket = connect(port, '127.0.0.1')
    const isRefused = await once(socket, 'connect').then(
      () => false,
      () => true
    )
    socket.destroy()
    if (isRefused) return
    await sleep(10)
  }
  throw new Error(`Port ${port} still takes connections.`)
}

/** Waits until something is in the encoder's queue. */
async function whenBusy(api: Api): Promise<void> {
  for (let tries = 0; tries < 3000; tries++) {
    const { body } = await api('GET', '/metrics')
    if (/^semblance_encoder_queue_length\{.*\} [1-9]/m.test(body)) return
    await sleep(10)
  }
  throw new Error('Nothing waits for the encoder.')
}

t.test('a request that comes in while the service closes is told so, and its connection ends', async (t) => {
  const server = await testServer(t)
  const { port } = new URL(server.url)
  const socket = connect(Number(port), '127.0.0.1')
  await once(socket, 'connect')
  let answer = ''
  socket.on('data', (chunk) => (answer += chunk))
  socket.write('GET /v1/models HTTP/1.1\r\nHost: localhost\r\n')
  // What came after it is answered, so it has come in.
  for (let call = 0; call < 2; call++) await server.api('GET', '/health/live')
  const closed = await server.startClosing()
  await whenRefused(Number(port))
  socket.write('\r\n')
  await once(socket, 'close')
  await closed()
  t.match(answer, /^HTTP\/1\.1 503 /)
  t.match(answer, /connection: close/i)
  t.match(answer, /retry-after: 1/i)
  t.match(answer, /"code":"CLOSED"/)
})

t.test('what takes longer than the drain is answered CLOSED, and dropped', async (t) => {
  const server = await testServer(t, { DRAIN_TIMEOUT_MS: '100', EMBEDDING_CACHE_MIB: '0' })
  const picture = await solid('red', { width: 900, height: 900 })
  const input = Array.from({ length: 150 }, (_, n) => ({
    image: { base64: Buffer.concat([picture, Buffer.from(String(n))]).toString('base64') }
  }))
  const call = server.api('POST', '/v1/embeddings', { input })
  await whenBusy(server.api)
  await server.close()
  const { status, headers, body } = await call
  t.match({ status, body }, { status: 503, body: { error: { code: 'CLOSED' } } })
  t.equal(headers.get('connection'), 'close')
})

t.test(
  'a bulk load that does not end gets CLOSED as its last line, and what was acknowledged is there',
  async (t) => {
    const dataDir = t.testdir()
    const server = await testServer(t, { DATA_DIR: dataDir, DRAIN_TIMEOUT_MS: '200' })
    await server.api('PUT', '/v1/collections/things')
    let controller: ReadableStreamDefaultController<Uint8Array>
    const body = new ReadableStream<Uint8Array>({ start: (given) => void (controller = given) })
    const send = (from: number) =>
      controller.enqueue(
        Buffer.from(
          Array.from(
            { length: 64 },
            (_, i) => `${JSON.stringify({ id: `r${from + i}`, text: `text ${from + i}` })}\n`
          ).join('')
        )
      )
    send(0)
    const response = await fetch(`${server.url}/v1/collections/things/records/bulk`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/x-ndjson' },
      duplex: 'half'
    } as RequestInit)
    send(64)
    const answers = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    const read = async () => {
      const { value = '', done } = await answers.read()
      text += value
      return !done
    }
    while (text.split('\n').length <= 128 && (await read()));
    const closed = server.close()
    while (await read());
    await closed
    const lines = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    t.match(lines.at(-1), { error: { code: 'CLOSED' } })
    t.equal(lines.length, 129)
    const again = await testServer(t, { DATA_DIR: dataDir })
    t.match(await again.api('GET', '/v1/collections/things'), { body: { records: 128 } })
  }
)

t.test('before it stops listening it is not ready, and serves', async (t) => {
  const server = await testServer(t, { SHUTDOWN_DELAY_MS: '2000' })
  const closed = await server.startClosing()
  t.match(await server.api('GET', '/health/ready'), { status: 503, body: { status: 'closing' } })
  t.match(await server.api('GET', '/health/live'), { status: 200 })
  t.match(await server.api('POST', '/v1/embeddings', { input: 'a dog' }), { status: 200 })
  await closed()
  await t.rejects(server.api('GET', '/health/live'))
})
