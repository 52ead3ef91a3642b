// Latency of /health/live and of text searches, idle and while one client ingests 500 images.
// node bench/ingest.js --url http://localhost:8080
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import sharp from 'sharp'
import { percentile } from './load.js'

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://localhost:8080' },
    images: { type: 'string', default: '500' },
    batch: { type: 'string', default: '32' }
  }
})
const { url } = values
const [images, batch] = [Number(values.images), Number(values.batch)]
const collection = `${url}/v1/collections/ingest-bench`
const json = { 'content-type': 'application/json' }

/** A 640 x 480 JPEG of noise over a colour: no two are alike, and none is cheap to decode. */
async function photo(n) {
  const noise = sharp({
    create: {
      width: 640,
      height: 480,
      channels: 3,
      noise: { type: 'gaussian', mean: 60 + (n % 120), sigma: 30 }
    }
  })
  return {
    id: `photo-${n}`,
    text: `noise number ${n}`,
    image: { base64: (await noise.jpeg({ quality: 85 }).toBuffer()).toString('base64') }
  }
}

/** Calls again and again, `pauseMs` apart, until told to stop; resolves to the latencies in milliseconds. */
async function poll(call, { pauseMs, until }) {
  const latencies = []
  while (!until.aborted) {
    const startedAt = performance.now()
    const response = await call()
    await response.arrayBuffer()
    if (!response.ok) throw new Error(`${response.url} answered ${response.status}`)
    latencies.push(performance.now() - startedAt)
    await sleep(pauseMs)
  }
  return latencies
}

const row = (name, latencies) => ({
  name,
  calls: latencies.length,
  p50: percentile(latencies, 0.5).toFixed(1),
  p99: percentile(latencies, 0.99).toFixed(1),
  max: Math.max(...latencies).toFixed(1)
})

async function measure(name, work) {
  const stop = new AbortController()
  let searches = 0
  const polls = [
    poll(() => fetch(`${url}/health/live`), { pauseMs: 10, until: stop.signal }),
    poll(
      () =>
        fetch(`${collection}/search/text-to-image`, {
          method: 'POST',
          headers: json,
          body: JSON.stringify({ text: `query number ${searches++}` })
        }),
      { pauseMs: 50, until: stop.signal }
    )
  ]
  await work()
  stop.abort()
  const [live, search] = await Promise.all(polls)
  return [row(`/health/live, ${name}`, live), row(`text search, ${name}`, search)]
}

await fetch(collection, { method: 'DELETE' })
await fetch(collection, { method: 'PUT' })
const records = await Promise.all(Array.from({ length: images }, (_, n) => photo(n)))
const bodies = Array.from({ length: Math.ceil(images / batch) }, (_, i) =>
  JSON.stringify({ records: records.slice(i * batch, (i + 1) * batch) })
)
await measure('warm-up', () => sleep(1000))
const idle = await measure('idle', () => sleep(5000))
let seconds = 0
const busy = await measure('ingesting', async () => {
  const startedAt = performance.now()
  for (const body of bodies) {
    const { results } = await (
      await fetch(`${collection}/records`, { method: 'POST', headers: json, body })
    ).json()
    if (results.some(({ status }) => status !== 'created')) throw new Error('a record failed')
  }
  seconds = (performance.now() - startedAt) / 1000
})
console.log(
  `${images} images of 640x480 in ${seconds.toFixed(1)} s, ${(images / seconds).toFixed(1)} images/s; ` +
    'latencies in ms'
)
console.table([...idle, ...busy])
await fetch(collection, { method: 'DELETE' })
