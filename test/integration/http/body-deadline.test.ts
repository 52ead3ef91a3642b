import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import Fastify, { type FastifyError } from 'fastify'
import t from 'tap'
import { bodyDeadline } from '../../../src/http/body-deadline.js'
import type { Config } from '../../../src/config.js'
import { errorHandler } from '../../../src/http/error-shape.js'
import { deadlines } from '../../../src/http/deadlines.js'

t.test(
  'a body that trickles is ended in the error shape, one that is held back by the service is not',
  async (t) => {
    const app = Fastify({ logger: false })
    app.setErrorHandler((error: FastifyError, request, reply) => errorHandler(error, request, reply))
    await app.register(deadlines, { REQUEST_TIMEOUT_MS: 0 } as Config)
    await app.register(bodyDeadline, { BODY_TIMEOUT_MS: 400 })
    app.post('/json', async () => ({}))
    app.addContentTypeParser('text/plain', (_, payload, done) => done(null, payload))
    let begin = () => {}
    const begun = new Promise<void>((resolve) => (begin = resolve))
    let goOn = () => {}
    const going = new Promise<void>((resolve) => (goOn = resolve))
    app.post('/stream', async ({ body }) => {
      begin()
      await going
      let bytes = 0
      for await (const chunk of body as AsyncIterable<Buffer>) bytes += chunk.length
      return { bytes }
    })
    await app.listen({ port: 0, host: '127.0.0.1' })
    t.teardown(() => app.close())
    const { port } = app.server.address() as AddressInfo

    const trickling = connect(port, '127.0.0.1')
    trickling.on('error', () => undefined)
    let answer = ''
    trickling.on('data', (chunk) => (answer += chunk))
    trickling.write(
      'POST /json HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ' +
        '1000\r\n\r\n'
    )
    const trickle = setInterval(() => trickling.write(' '), 20)
    const held = fetch(`http://127.0.0.1:${port}/stream`, {
      method: 'POST',
      body: Buffer.alloc(4 << 20),
      headers: { 'content-type': 'text/plain' }
    })
    await begun
    await once(trickling, 'close')
    clearInterval(trickle)
    t.match(answer, /^HTTP\/1\.1 408 /)
    t.match(JSON.parse(answer.split('\r\n\r\n')[1]), {
      error: { code: 'REQUEST_TIMEOUT', message: /did not arrive in time/ }
    })

    goOn()
    t.strictSame(await (await held).json(), { bytes: 4 << 20 })
  }
)
