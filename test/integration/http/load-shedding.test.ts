import { mock } from 'node:test'
import Fastify, { type FastifyError } from 'fastify'
import t from 'tap'
import { errorHandler } from '../../../src/http/error-shape.js'
import { EventLoopLag } from '../../../src/threading/event-loop-lag.js'
import { loadShedding } from '../../../src/http/load-shedding.js'

t.test('loadShedding refuses bodies by their headers while the event loop is late', async (t) => {
  const lag = { ms: 0 }
  const app = Fastify({ logger: false })
  t.teardown(() => app.close())
  app.setErrorHandler((error: FastifyError, request, reply) => errorHandler(error, request, reply))
  await app.register(loadShedding, { MAX_QUEUE_MS: 10_000, lag })
  let parsed = 0
  app.addHook('preParsing', async (_, __, payload) => (parsed++, payload))
  app.route({ method: ['GET', 'POST'], url: '/search', handler: async () => ({}) })
  app.post('/bulk', { config: { streams: true } }, async () => ({}))
  const post = (url: string) => app.inject({ method: 'POST', url, payload: { text: 'a dog' } })

  t.equal((await post('/search')).statusCode, 200)
  lag.ms = 400
  t.equal((await post('/search')).statusCode, 200, 'a short lag is borne')
  lag.ms = 600
  const before = parsed
  const refused = await post('/search')
  t.equal(refused.statusCode, 429)
  t.match(refused.json(), { error: { code: 'QUEUE_FULL' } })
  t.equal(refused.headers['retry-after'], '3')
  t.equal(parsed, before, 'the body is not parsed')
  t.equal((await app.inject('/search')).statusCode, 200, 'what brings no body is served')
  t.equal((await post('/bulk')).statusCode, 200, 'what streams is held back instead')
  lag.ms = 0
  t.equal((await post('/search')).statusCode, 200, 'as soon as the loop is in time')
})

t.test('loadShedding without a bound refuses nothing', async (t) => {
  const app = Fastify({ logger: false })
  t.teardown(() => app.close())
  await app.register(loadShedding, { MAX_QUEUE_MS: 0, lag: { ms: 1e6 } })
  app.post('/search', async () => ({}))
  t.equal((await app.inject({ method: 'POST', url: '/search', payload: {} })).statusCode, 200)
})

t.test('EventLoopLag sees a late turn while it lasts, remembers it and forgets it', async (t) => {
  mock.timers.enable({ apis: ['setInterval'] })
  let now = 0
  const clock = mock.method(performance, 'now', () => now)
  const lag = new EventLoopLag()
  t.teardown(() => {
    lag.close()
    clock.mock.restore()
    mock.timers.reset()
  })
  const look = (ms: number) => {
    now += ms
    mock.timers.tick(100)
  }
  look(100)
  t.equal(lag.ms, 0, 'in time')
  now += 600
  t.equal(lag.ms, 500, 'before the turn has ended')
  mock.timers.tick(100)
  t.equal(lag.ms, 500)
  look(100)
  t.ok(lag.ms > 300 && lag.ms < 500, 'it fades')
  for (let i = 0; i < 20; i++) look(100)
  t.ok(lag.ms < 10)
  look(900)
  lag.reset()
  t.equal(lag.ms, 0)
})
