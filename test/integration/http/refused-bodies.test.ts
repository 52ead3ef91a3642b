import { connect } from 'node:net'
import t from 'tap'
import { testServer } from '../../fixtures/server.js'

t.test('a body that is rejected midway does not hold back the next request of its connection', async (t) => {
  const { url, api } = await testServer(t)
  await api('PUT', '/v1/collections/things')
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  t.teardown(() => socket.destroy())
  let received = ''
  socket.on('data', (bytes) => (received += bytes))
  const answers = async (request: string, pattern: RegExp) => {
    received = ''
    socket.write(request)
    // Bounded: a connection that is held back never answers.
    for (let waited = 0; !pattern.test(received) && waited < 20_000; waited += 20) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    t.match(received, pattern)
  }
  const post = (path: string, type: string, body: string) =>
    `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: ${type}\r\ncontent-length: ` +
    `${body.length}\r\n\r\n${body}`
  const next = 'GET /health/live HTTP/1.1\r\nhost: localhost\r\n\r\n'

  // Ends after the first thousand lines, with most of the body not read.
  await answers(
    post('/v1/collections/things/records/bulk', 'application/x-ndjson', '{}\n'.repeat(1_000_000)),
    /^HTTP\/1\.1 200 [^]*\r\n0\r\n\r\n$/
  )
  await answers(next, /^HTTP\/1\.1 200 OK/)

  // A field of a form that is rejected before all of it has come.
  const form =
    `--b\r\ncontent-disposition: form-data; ` + `name="color"\r\n\r\n${'x'.repeat(3 << 20)}\r\n--b--\r\n`
  await answers(
    post('/v1/collections/things/records', 'multipart/form-data; boundary=b', form),
    /^HTTP\/1\.1 400 /
  )
  await answers(next, /HTTP\/1\.1 200 OK/)

  // Over the limit of a call without images, which is known from its length.
  await answers(
    post(
      '/v1/collections/things/search/text-to-image',
      'application/json',
      `{"text":"${'x'.repeat(8_000_000)}"}`
    ),
    /^HTTP\/1\.1 413 /
  )
  await answers(next, /HTTP\/1\.1 200 OK/)
})
