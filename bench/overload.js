// Four times the load that the service can take, in both lanes: who is answered, who is turned away, and what it costs.
// node bench/overload.js [--minutes 5] [--times 4] [--bulk 0.25] [--max-queue-ms 2000]   (after npm run build)
// Capacity is that of pictures embedded by 8 clients. Then the same pictures come at `times` that, whatever is answered:
// a part `bulk` of them as records (the bulk lane), the others to /v1/embeddings (the interactive one).
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import sharp from 'sharp'
import { percentile } from './load.js'
import { startService } from './service.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' }, times: { type: 'string', default: '4' }, bulk: { type: 'string', default: '0.25' },
    'max-queue-ms': { type: 'string', default: '2000' }, 'max-bulk-queue-ms': { type: 'string', default: '10000' }, deadline: { type: 'string', default: '0' }
  }
})
const [minutes, times, bulkPart, deadline] = [values.minutes, values.times, values.bulk, values.deadline].map(Number)
// Without the cache every request costs what a new image costs.
const service = await startService({ EMBEDDING_CACHE_MIB: '0', MAX_QUEUE_MS: values['max-queue-ms'], MAX_BULK_QUEUE_MS: values['max-bulk-queue-ms'] })
const { url } = service

const pictures = await Promise.all(Array.from({ length: 16 }, async (_, n) => {
  const noise = sharp({ create: { width: 640, height: 480, channels: 3, noise: { type: 'gaussian', mean: 60 + 10 * n, sigma: 30 } } })
  const jpeg = await noise.jpeg({ quality: 80 }).toBuffer()
  // Whole groups of base64, so that more can follow.
  return Buffer.concat([jpeg, Buffer.alloc((3 - (jpeg.length % 3)) % 3)]).toString('base64')
}))
/** No two are the same picture, which would be encoded once: what follows a JPEG's end changes nothing. */
const picture = (n) => `{"base64":"${pictures[n % pictures.length]}${Buffer.from(`picture ${n}`).toString('base64')}"}`

const agent = new Agent({ keepAlive: true, maxSockets: 4000 })
// Those who ask how it is have connections of their own.
const probes = new Agent({ keepAlive: true })
/** Resolves to the status (or the error of the connection), the code of an error, Retry-After and the time it took. */
function call(method, path, { body, from = agent, read = false } = {}) {
  return new Promise((resolve) => {
    const startedAt = performance.now()
    const done = (answer) => resolve({ ms: performance.now() - startedAt, ...answer })
    const headers = { ...(body && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }), ...(deadline > 0 && from === agent && { 'x-request-timeout': String(deadline) }) }
    const outgoing = request(url + path, { agent: from, method, headers }, (response) => {
      const isRead = read || response.statusCode !== 200
      let text = ''
      response.on('data', (chunk) => isRead && (text += chunk))
      response.once('error', (error) => done({ status: error.code, code: error.code }))
      response.once('end', () => {
        const code = /"code":"([A-Z_]+)"/.exec(text)?.[1] ?? ''
        done({ status: response.statusCode, code: response.statusCode === 200 ? '' : code, retryAfter: Number(response.headers['retry-after'] ?? NaN), text })
      })
    })
    outgoing.once('error', (error) => done({ status: error.code, code: error.code }))
    outgoing.end(body)
  })
}
let sent = 0
const embed = () => call('POST', '/v1/embeddings', { body: `{"input":{"image":${picture(sent++)}},"encoding_format":"base64"}` })
const ingest = () => call('POST', '/v1/collections/load/records', { body: `{"records":[{"id":"r${sent % 1000}","image":${picture(sent++)}}]}` })
const rss = async () => (await service.memory()).resident
const ms = (list, p) => (list.length > 0 ? percentile(list.map((answer) => answer.ms), p).toFixed(0) : '-')

await call('PUT', '/v1/collections/load', { body: '{"storage":"none"}' })
let stop = false
let served = 0
const clients = Array.from({ length: 8 }, async () => {
  while (!stop) if ((await embed()).status === 200) served++
})
await sleep(3000)
served = 0
await sleep(10_000)
const capacity = served / 10
stop = true
await Promise.all(clients)
const idle = await embed()
const before = await rss()

const answers = { interactive: [], bulk: [] }
const health = { live: [], ready: [] }
let [peak, waiting] = [before, 0]
const seconds = minutes * 60
const startedAt = performance.now()
const elapsed = () => (performance.now() - startedAt) / 1000
const watch = (async () => {
  while (elapsed() < seconds) {
    for (const of of ['live', 'ready']) health[of].push(await call('GET', `/health/${of}`, { from: probes }))
    peak = Math.max(peak, await rss())
    await sleep(100)
  }
})()
for (let due = 0; elapsed() < seconds; await sleep(5)) {
  for (; due < elapsed() * capacity * times; due++) {
    const lane = (due * bulkPart) % 1 < bulkPart ? 'bulk' : 'interactive'
    waiting++
    void (lane === 'bulk' ? ingest() : embed()).then((answer) => {
      answers[lane].push(answer)
      waiting--
    })
  }
}
await watch
const endedAt = performance.now()
const since = () => ((performance.now() - endedAt) / 1000).toFixed(2)
// Recovered is who answers a request about as fast as before the load.
let recovered
let first
while (!recovered && performance.now() - endedAt < 120_000) {
  const answer = await embed()
  first ??= { ...answer, after: since() }
  if (answer.status === 200 && answer.ms < 2 * Math.max(idle.ms, 50)) recovered = since()
}
while (waiting > 0) await sleep(50)
const lastAnswer = since()
await sleep(5000)
const after = await rss()

const count = (list, key) => list.reduce((counts, answer) => ({ ...counts, [answer[key]]: (counts[answer[key]] ?? 0) + 1 }), {})
console.log(`capacity ${capacity.toFixed(1)} images/s; ${times} times that for ${minutes} min, ${100 * bulkPart} % of it records; bounds ${values['max-queue-ms']} and ${values['max-bulk-queue-ms']} ms; deadline ${deadline || 'none'}`)
for (const [lane, list] of Object.entries(answers)) {
  const ok = list.filter(({ status }) => status === 200)
  const refused = list.filter(({ status }) => status === 429)
  console.log(`${lane}: ${list.length} sent, by status ${JSON.stringify(count(list, 'status'))}; rejected ${((100 * refused.length) / list.length).toFixed(1)} % (p99 ${ms(refused, 0.99)} ms, Retry-After ${Math.min(...refused.map(({ retryAfter }) => retryAfter))} to ${Math.max(...refused.map(({ retryAfter }) => retryAfter))} s)`)
  console.log(`${lane}: served ${(ok.length / seconds).toFixed(1)} images/s; accepted p50 ${ms(ok, 0.5)} ms, p99 ${ms(ok, 0.99)} ms`)
}
const all = [...answers.interactive, ...answers.bulk]
console.log(`5xx by code: ${JSON.stringify(count(all.filter(({ status }) => status >= 500), 'code'))}; broken connections: ${JSON.stringify(count(all.filter(({ status }) => typeof status === 'string'), 'status'))}`)
for (const [of, list] of Object.entries(health)) console.log(`/health/${of}: ${list.filter(({ status }) => status === 200).length} of ${list.length} green, p99 ${ms(list, 0.99)} ms`)
console.log(`RSS: ${before.toFixed(0)} MiB before, ${peak.toFixed(0)} peak, ${after.toFixed(0)} after`)
console.log(`after the load: first answer ${first.status} in ${first.ms.toFixed(0)} ms at ${first.after} s, as fast as idle (${idle.ms.toFixed(0)} ms) at ${recovered ?? '-'} s, last answer of the load at ${lastAnswer} s`)
await service.stop()
