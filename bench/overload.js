// Four times the load that the service can take: who is answered, who is turned away, and what it costs.
// node bench/overload.js [--seconds 120] [--queue 128]   (after npm run build)
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import sharp from 'sharp'
import { percentile } from './load.js'
import { startService } from './service.js'

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '120' }, queue: { type: 'string', default: '128' }, times: { type: 'string', default: '4' } } })
const [seconds, times] = [Number(values.seconds), Number(values.times)]
// Without the cache every request costs what a new image costs.
const service = await startService({ EMBEDDING_CACHE_MIB: '0', QUEUE_SIZE: values.queue })
const { url } = service

const pictures = await Promise.all(Array.from({ length: 16 }, async (_, n) => {
  const noise = sharp({ create: { width: 640, height: 480, channels: 3, noise: { type: 'gaussian', mean: 60 + 10 * n, sigma: 30 } } })
  const jpeg = await noise.jpeg({ quality: 80 }).toBuffer()
  // Whole groups of base64, so that more can follow.
  return Buffer.concat([jpeg, Buffer.alloc((3 - (jpeg.length % 3)) % 3)]).toString('base64')
}))
/** No two are for the same picture, which would be encoded once: what follows a JPEG's end changes nothing. */
const body = (n) => `{"input":{"image":{"base64":"${pictures[n % pictures.length]}${Buffer.from(`picture ${n}`).toString('base64')}"}},"encoding_format":"base64"}`
const agent = new Agent({ keepAlive: true, maxSockets: 2000 })
let sent = 0
const call = (path, body) =>
  new Promise((resolve) => {
    const startedAt = performance.now()
    const done = (status) => resolve({ status, ms: performance.now() - startedAt })
    const outgoing = request(url + path, { agent, method: body ? 'POST' : 'GET', headers: body ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) } : {} }, (response) => {
      response.resume()
      response.once('end', () => done(response.statusCode))
    })
    outgoing.once('error', (error) => done(error.code))
    outgoing.end(body)
  })
const embed = () => call('/v1/embeddings', body(sent++))
const rss = async () => (await service.memory()).resident
const ms = (list, p) => (list.length > 0 ? percentile(list, p).toFixed(0) : 0)

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
const before = await rss()

const [answers, health] = [[], []]
let peak = before
let waiting = 0
const startedAt = performance.now()
const watch = (async () => {
  while (performance.now() - startedAt < seconds * 1000) {
    health.push(await call('/health/live'))
    peak = Math.max(peak, await rss())
    await sleep(100)
  }
})()
for (let due = 0; performance.now() - startedAt < seconds * 1000; ) {
  for (; due < ((performance.now() - startedAt) / 1000) * capacity * times; due++) {
    waiting++
    void embed().then((answer) => (answers.push(answer), waiting--))
  }
  await sleep(5)
}
await watch
while (waiting > 0) await sleep(50)
const recoveredAt = performance.now()
const after = await embed()
await sleep(5000)
const ok = answers.filter(({ status }) => status === 200)
const byStatus = answers.reduce((counts, { status }) => ({ ...counts, [status]: (counts[status] ?? 0) + 1 }), {})
console.log(`capacity ${capacity.toFixed(1)} images/s; ${times} times that for ${seconds} s, queue ${values.queue}`)
console.log(`answers by status: ${JSON.stringify(byStatus)}; rejected ${((100 * (answers.length - ok.length)) / answers.length).toFixed(1)} %`)
console.log(`served ${(ok.length / seconds).toFixed(1)} images/s; accepted p50 ${ms(ok.map((answer) => answer.ms), 0.5)} ms, p99 ${ms(ok.map((answer) => answer.ms), 0.99)} ms`)
console.log(`rejected p99 ${ms(answers.filter(({ status }) => status === 429).map((answer) => answer.ms), 0.99)} ms`)
console.log(`/health/live: ${health.filter(({ status }) => status === 200).length} of ${health.length} green, p99 ${ms(health.map((answer) => answer.ms), 0.99)} ms`)
console.log(`RSS: ${before.toFixed(0)} MiB before, ${peak.toFixed(0)} peak, ${(await rss()).toFixed(0)} after; the first request afterwards took ${(after.ms).toFixed(0)} ms (${after.status}), ${((performance.now() - recoveredAt - 5000) / 1000).toFixed(2)} s after the last answer`)
await service.stop()
