import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import Fastify, { type FastifyError } from 'fastify'
import { pino } from 'pino'
import t from 'tap'
import { errorHandler } from '../../../src/http/error-shape.js'
import { CollectionReplaced, JobNotFound } from '../../../src/errors.js'

t.test(
  'a stream that fails before its first byte is answered as all errors are, not as the file',
  async (t) => {
    const app = Fastify()
    app.setErrorHandler(errorHandler)
    app.get('/file', (_, reply) => {
      const broken = new Readable({ read: () => broken.destroy(new CollectionReplaced('things')) })
      const headers = {
        etag: '"1"',
        'content-disposition': 'attachment; filename="things.npy"',
        'content-length': 5000
      }
      return reply.headers(headers).type('application/x-ndjson').send(broken)
    })
    const { statusCode, headers, body } = await app.inject('/file')
    t.match(
      { statusCode, headers, body: JSON.parse(body) },
      {
        statusCode: 503,
        headers: {
          'content-type': /^application\/json/,
          'retry-after': '1',
          etag: undefined,
          'content-disposition': undefined
        },
        body: { error: { code: 'COLLECTION_REPLACED' } }
      }
    )
    t.equal(headers['content-length'], String(Buffer.byteLength(body)))
  }
)

t.test('a message that repeats what was sent is one line of bounded length', async (t) => {
  const app = Fastify()
  app.setErrorHandler(errorHandler)
  app.get('/job', () => {
    throw new JobNotFound(`a\0b\nc${'😀'.repeat(1000)}`)
  })
  const { message } = (await app.inject('/job')).json().error
  t.match(message, /'ab c😀+…$/u)
  t.ok(message.isWellFormed() && message.length <= 501, String(message.length))
})

t.test('a body that is cut off is not logged as a fault of the service', async (t) => {
  const lines: { level: number }[] = []
  const write = (line: string) => void lines.push(JSON.parse(line))
  const app = Fastify({ loggerInstance: pino({ level: 'info' }, { write }) })
  const answered = new Promise<number>((resolve) => {
    app.setErrorHandler((error: FastifyError, request, reply) => {
      errorHandler(error, request, reply)
      resolve(reply.statusCode)
    })
  })
  app.addContentTypeParser(
    'text/x',
    (_, body, done) => void body.once('close', () => done(new Error('Premature close')))
  )
  app.post('/', () => 'never')
  await app.listen({ port: 0, host: '127.0.0.1' })
  t.teardown(() => app.close())
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  socket.write(
    'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/x\r\nContent-Length: 100\r\n\r\nhalf'
  )
  await once(app.server, 'request')
  socket.destroy()
  t.equal(await answered, 499)
  t.same(
    lines.filter(({ level }) => level >= 50),
    []
  )
})
