import { createRequire } from 'node:module'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { readConfig } from '../../../src/config.js'
import { startServer } from '../../../src/server.js'
import { startCollector, type CollectedSpan } from '../../fixtures/collector.js'
import { solid } from '../../fixtures/images.js'
import { client, ownServer } from '../../fixtures/server.js'
import { openTraces, wantsTraces } from '../../../src/telemetry/open-traces.js'

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'
const CALLER = { traceparent: `00-${TRACE_ID}-b7ad6b7169203331-01`, tracestate: 'vendor=1' }

/** The SDK's modules that are loaded; the API, which prom-client loads anyway, does nothing by itself. */
const loaded = () =>
  Object.keys(createRequire(import.meta.url).cache).filter((file) => /@opentelemetry\/(?!api\/)/.test(file))

/** Sets variables of the process for a test: the SDK reads them there. */
function setEnv(t: Test, env: Record<string, string>): void {
  for (const [name, value] of Object.entries(env)) {
    const before = process.env[name]
    process.env[name] = value
    t.teardown(() => (before === undefined ? delete process.env[name] : (process.env[name] = before)))
  }
}

/** A service whose log lines are kept. */
async function loggingServer(t: Test) {
  const lines: Record<string, unknown>[] = []
  const config = readConfig({
    PORT: '0',
    DEMO: 'false',
    ENCODER_WORKERS: '1',
    EXPRESS_WORKER: 'false',
    DECODE_WORKERS: '1',
    IMAGE_BATCH_SIZE: '4',
    TEXT_BATCH_SIZE: '32',
    DATA_DIR: t.testdir()
  })
  const server = await startServer({
    config,
    logger: pino({ level: 'info' }, { write: (line) => void lines.push(JSON.parse(line)) })
  })
  t.teardown(() => server.close())
  return { ...server, api: client(server.url), lines }
}

// First, before anything has loaded it.
t.test('without an endpoint nothing of the SDK is loaded, and nothing is traced', async (t) => {
  const { api, lines } = await loggingServer(t)
  t.match(await api('POST', '/v1/embeddings', { input: 'a dog' }, { headers: CALLER }), { status: 200 })
  t.same(loaded(), [])
  t.ok(lines.every((line) => !('trace_id' in line)))
})

t.test('what asks for traces', async (t) => {
  const cases: [Record<string, string>, boolean][] = [
    [{}, false],
    [{ OTEL_SERVICE_NAME: 'x' }, false],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: ' ' }, false],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }, true],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:4318/v1/traces' }, true],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318', OTEL_SDK_DISABLED: 'true' }, false],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318', OTEL_TRACES_EXPORTER: 'none' }, false]
  ]
  for (const [env, wanted] of cases) t.equal(wantsTraces(env), wanted, JSON.stringify(env))
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }
  await t.rejects(
    openTraces({ ...endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, () => {}),
    { message: /http\/protobuf or http\/json/ }
  )
  await t.rejects(
    openTraces({ ...endpoint, OTEL_TRACES_EXPORTER: 'zipkin' }, () => {}),
    { message: /OTEL_TRACES_EXPORTER must be otlp or none, not 'zipkin'/ }
  )
})

t.test("a trace of each request, with its stages, continues with the caller's", async (t) => {
  const collector = await startCollector(t)
  setEnv(t, {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_SERVICE_NAME: 'pictures',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=test',
    OTEL_BSP_SCHEDULE_DELAY: '50',
    OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=7'
  })
  const { api, lines } = await loggingServer(t)
  const childrenOf = (parent: CollectedSpan) =>
    collector.spans.filter(({ parentSpanId }) => parentSpanId === parent.spanId)
  const root = (name: string) => collector.find((span) => span.name === name)
  const image = { base64: (await solid('#336699', { width: 300, height: 200 })).toString('base64') }
  await api('PUT', '/v1/collections/things')

  await t.test('an ingest', async (t) => {
    const from = Date.now()
    const { status, headers } = await api(
      'POST',
      '/v1/collections/things/records',
      { records: [{ id: 'secret-id', text: 'a secret text', image }] },
      { headers: CALLER }
    )
    t.equal(status, 200)
    const span = await root('POST /v1/collections/:collection/records')
    t.match(span, {
      traceId: TRACE_ID,
      parentSpanId: 'b7ad6b7169203331',
      kind: 2,
      attributes: {
        'http.request.method': 'POST',
        'http.route': '/v1/collections/:collection/records',
        'url.path': '/v1/collections/things/records',
        'http.response.status_code': 200,
        'semblance.request_id': headers.get('x-request-id')
      },
      resource: {
        'service.name': 'pictures',
        'deployment.environment': 'test',
        'telemetry.sdk.language': 'nodejs'
      }
    })
    t.notOk(span.status.code, 'no error')
    const steps = childrenOf(span)
    t.same(steps.map(({ name }) => name).sort(), [
      'decode',
      'encode',
      'encode',
      'preprocess',
      'queue',
      'queue',
      'queue',
      'queue',
      'write'
    ])
    t.ok(steps.every(({ traceId, kind }) => traceId === TRACE_ID && kind === 1))
    t.same(
      new Set(
        steps.filter(({ name }) => name === 'encode').map(({ attributes }) => attributes['semblance.tower'])
      ),
      new Set(['image', 'text'])
    )
    t.match(steps.find(({ name }) => name === 'encode')!.attributes, {
      'semblance.model': 'mini',
      'semblance.execution_provider': 'cpu',
      'semblance.batch_size': 1
    })
    t.match(steps.find(({ name }) => name === 'write')!.attributes, {
      'semblance.collection': 'things',
      'semblance.records': 1
    })
    const ms = (nanos: string) => Number(BigInt(nanos) / 1000n) / 1000
    for (const { name, startTimeUnixNano, endTimeUnixNano } of steps) {
      t.ok(
        ms(startTimeUnixNano) >= ms(span.startTimeUnixNano) - 1 &&
          ms(endTimeUnixNano) <= ms(span.endTimeUnixNano) + 1,
        `${name} lies within the request`
      )
    }
    t.ok(
      ms(span.startTimeUnixNano) >= from - 5 && ms(span.endTimeUnixNano) <= Date.now() + 5,
      'by the clock of the system'
    )
  })

  await t.test('a search: its spans are what took_ms says', async (t) => {
    const { body } = await api('POST', '/v1/collections/things/search/text-to-image', {
      text: 'words that nobody may see'
    })
    const span = await root('POST /v1/collections/:collection/search/text-to-image')
    t.notOk(span.parentSpanId, 'it has no caller')
    t.not(span.traceId, TRACE_ID)
    const steps = childrenOf(span)
    t.same(
      steps.map(({ name }) => name),
      ['queue', 'encode', 'search']
    )
    t.match(steps[2].attributes, {
      'semblance.collection': 'things',
      'semblance.target': 'image',
      'semblance.strategy': /^(exact|hnsw)$/
    })
    for (const { name, startTimeUnixNano, endTimeUnixNano } of steps) {
      t.ok(
        Math.abs(Number(BigInt(endTimeUnixNano) - BigInt(startTimeUnixNano)) / 1e6 - body.took_ms[name]) <
          0.01,
        name
      )
    }
    const [line] = lines.filter(({ trace_id: id, msg }) => id === span.traceId && msg === 'request completed')
    t.match(
      line,
      { span_id: span.spanId, reqId: span.attributes['semblance.request_id'] },
      'the log line is found by the trace'
    )
  })

  await t.test('what goes wrong', async (t) => {
    await api('GET', '/v1/collections/none/search?text=words%20that%20nobody%20may%20see')
    const refused = await root('GET /v1/collections/:collection/search')
    t.match(refused, {
      attributes: {
        'http.response.status_code': 404,
        'error.type': 'COLLECTION_NOT_FOUND',
        'url.path': '/v1/collections/none/search'
      }
    })
    t.notOk(refused.status.code, 'what the caller can mend is no error of the service')
    await api('POST', '/no/such/path')
    t.match(await root('POST'), {
      attributes: { 'http.response.status_code': 404, 'error.type': 'ROUTE_NOT_FOUND' }
    })
    await api('POST', '/v1/embeddings', {
      input: { image: { base64: Buffer.from('no image').toString('base64') } }
    })
    t.match(await collector.find(({ attributes }) => attributes['error.type'] === 'IMAGE_UNSUPPORTED'), {
      attributes: { 'http.response.status_code': 415 }
    })
  })

  await t.test(
    'what is probed every few seconds is left out, and no one reads what was sent in',
    async (t) => {
      await api('GET', '/health/live')
      await api('GET', '/metrics')
      await api('GET', '/v1/models')
      await root('GET /v1/models')
      t.notOk(collector.spans.some(({ name }) => /health|metrics/.test(name)))
      const sent = Buffer.concat(collector.requests.map(({ body }) => body)).toString()
      t.notMatch(sent, /secret|nobody|iVBOR/, 'no text, id or image')
      t.ok(
        collector.requests.every(({ path, headers }) => path === '/v1/traces' && headers['x-tenant'] === '7')
      )
    }
  )
})

t.test('a fault of the service is an error of its span; steps without end are counted', async (t) => {
  const collector = await startCollector(t)
  setEnv(t, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' })
  const traces = (await openTraces(process.env, (problem) => t.fail(problem)))!
  const trace = traces.begin({ id: 'a', method: 'POST', route: '/x', path: '/x', headers: {} })
  for (let i = 0; i < 300; i++) trace.step({ stage: 'encode', at: performance.now(), ms: 0 })
  trace.fail({ code: 'INTERNAL', message: 'x', statusCode: 500 })
  trace.end(500)
  trace.step({ stage: 'encode', at: performance.now(), ms: 0 })
  await traces.close(5000)
  t.match(
    collector.spans.find(({ name }) => name === 'POST /x'),
    {
      status: { code: 2, message: 'INTERNAL' },
      attributes: { 'error.type': 'INTERNAL', 'semblance.steps_left_out': 44 }
    }
  )
  t.equal(collector.spans.length, 257)
})

t.test('a caller who does not sample is not traced, but named in the log', async (t) => {
  const collector = await startCollector(t)
  setEnv(t, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' })
  const { api, lines, close } = await loggingServer(t)
  await api('GET', '/v1/models', undefined, {
    headers: { traceparent: CALLER.traceparent.replace(/01$/, '00') }
  })
  await api('GET', '/v1/collections')
  await close()
  t.same(
    collector.spans.map(({ name }) => name),
    ['GET /v1/collections'],
    'and the rest is sent when the service closes'
  )
  t.ok(lines.some(({ trace_id: id }) => id === TRACE_ID))
})

t.test('OTEL_TRACES_SAMPLER acts; protobuf is spoken by default', async (t) => {
  const collector = await startCollector(t)
  setEnv(t, { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/own/path` })
  const server = await ownServer(t)
  await server.api('GET', '/v1/models')
  await server.close()
  t.match(collector.requests, [{ path: '/own/path', headers: { 'content-type': 'application/x-protobuf' } }])
  t.ok(collector.requests[0].body.includes('GET /v1/models'))
  setEnv(t, { OTEL_TRACES_SAMPLER: 'always_off' })
  const silent = await ownServer(t, { DATA_DIR: t.testdir() })
  await silent.api('GET', '/v1/models')
  await silent.close()
  t.equal(collector.requests.length, 1)
})

t.test(
  'a collector that is away or refuses neither fails a request nor floods the log nor holds the close',
  async (t) => {
    let answer = 400
    const collector = await startCollector(t, { answer: () => answer })
    setEnv(t, {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_BSP_SCHEDULE_DELAY: '20'
    })
    const { api, lines, close } = await loggingServer(t)
    const warnings = () => lines.filter(({ msg }) => /^Traces /.test(String(msg)))
    for (let seen = 0; seen < 5;) {
      t.match(await api('GET', '/v1/models'), { status: 200 })
      seen = collector.requests.length
    }
    t.match(warnings(), [{ level: 40, msg: /can't be sent/ }], 'one line for all failures')
    answer = 200
    for (let i = 0; i < 2000 && warnings().length < 2; i++) await api('GET', '/v1/models')
    t.match(warnings(), [{}, { msg: 'Traces can be sent again.' }])
    await close()

    setEnv(t, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' })
    const away = await ownServer(t, { DATA_DIR: t.testdir() })
    t.match(await away.api('GET', '/v1/models'), { status: 200 })
    await away.close()
  }
)
