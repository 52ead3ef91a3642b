// Resident memory under a mix of requests: text and image searches, upserts, patches, deletes, zero-shot,
// embeddings and record gets. Prints the slope over the second half, and draws it all.
// node bench/memory.js [--requests 100000] [--connections 8] [--preload
//   /usr/lib/x86_64-linux-gnu/libjemalloc.so.2] The service must be built (npm run build), and the chart
//   library there (npm ci --prefix bench).
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import * as echarts from 'echarts'
import sharp from 'sharp'
import { Pool } from 'undici'
import { report } from './report.js'
import { startService } from './service.js'

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '100000' },
    connections: { type: 'string', default: '8' },
    samples: { type: 'string', default: '200' },
    preload: { type: 'string' },
    name: { type: 'string', default: 'memory' }
  }
})
const [requests, connections, samples] = [values.requests, values.connections, values.samples].map(Number)
const RECORDS = 2000
const PICTURES = 200
const WORDS = [
  'red',
  'apple',
  'dog',
  'blue',
  'car',
  'small',
  'tree',
  'in',
  'the',
  'rain',
  'two',
  'cats',
  'on',
  'a',
  'boat',
  'green'
]

let state = 42
/** Mulberry32: several draws in a row make one request, and must not hang together. */
function random() {
  state = (state + 0x6d2b79f5) | 0
  let bits = Math.imul(state ^ (state >>> 15), 1 | state)
  bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
  return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
}
const below = (bound) => Math.floor(random() * bound)
const text = () =>
  Array.from({ length: 3 + below(6) }, () => WORDS[below(WORDS.length)]).join(' ') + ` ${below(1e6)}`
const id = () => `r${below(RECORDS)}`

/** Small pictures of noise in sizes of their own, as base64. */
const pictures = await Promise.all(
  Array.from({ length: PICTURES }, async () => {
    const create = {
      width: 40 + below(200),
      height: 40 + below(200),
      channels: 3,
      noise: { type: 'gaussian', mean: 40 + below(160), sigma: 40 }
    }
    return (await sharp({ create }).jpeg({ quality: 80 }).toBuffer()).toString('base64')
  })
)
const image = () => ({ base64: pictures[below(PICTURES)] })

const base = '/v1/collections/bench'
const filter = () => (random() < 0.3 ? { kind: below(10) } : undefined)
/**
 * Each kind of request with its weight in the mix. A record that was deleted is answered 404 until it is
 * written again.
 */
const MIX = [
  [30, 'text search', () => ['POST', `${base}/search/text-to-image`, { text: text(), filter: filter() }]],
  [10, 'image search', () => ['POST', `${base}/search/image-to-text`, { image: image(), filter: filter() }]],
  [
    20,
    'upsert',
    () => [
      'POST',
      `${base}/records`,
      {
        records: [
          {
            id: id(),
            text: text(),
            ...(random() < 0.5 && { image: image() }),
            metadata: { kind: below(10), note: text() }
          }
        ]
      }
    ]
  ],
  [
    10,
    'patch',
    () => ['PATCH', `${base}/records/${id()}`, { metadata: { kind: below(10), seen: below(1e6) } }]
  ],
  [5, 'delete', () => ['DELETE', `${base}/records/${id()}`]],
  [
    5,
    'zero-shot',
    () => ['POST', '/v1/zero-shot', { image: image(), labels: [text(), text(), 'a dog', 'a cat'] }]
  ],
  [10, 'embeddings', () => ['POST', '/v1/embeddings', { input: [text(), text()] }]],
  [10, 'get', () => ['GET', `${base}/records/${id()}`]]
]
const TOTAL = MIX.reduce((sum, [weight]) => sum + weight, 0)

function draw() {
  let point = random() * TOTAL
  return MIX.find(([weight]) => (point -= weight) < 0) ?? MIX[0]
}

/** Sends the mix; calls `onSample` with the count of requests sent, `samples` times. */
async function send(url, onSample) {
  const pool = new Pool(url, { connections, pipelining: 1 })
  const counts = {}
  let sent = 0
  const caller = async () => {
    while (sent < requests) {
      const number = ++sent
      const [, kind, request] = draw()
      const [method, path, content] = request()
      const body = content && JSON.stringify(content)
      const { statusCode, body: answer } = await pool.request({
        method,
        path,
        body,
        headers: body ? { 'content-type': 'application/json' } : {}
      })
      const text = await answer.text()
      if (statusCode >= 400 && statusCode !== 404)
        throw new Error(`${kind} was answered ${statusCode}: ${text}`)
      const key = `${kind} ${statusCode}`
      counts[key] = (counts[key] ?? 0) + 1
      if (number % Math.ceil(requests / samples) === 0) await onSample(number)
    }
  }
  await Promise.all(Array.from({ length: connections }, caller))
  await pool.close()
  return counts
}

/** The slope of the line of least squares through points, by x. */
function slope(points) {
  const mean = (index) => points.reduce((sum, point) => sum + point[index], 0) / points.length
  const [x, y] = [mean(0), mean(1)]
  return (
    points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0) /
    points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0)
  )
}

function plot(points, title) {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: 900, height: 420 })
  chart.setOption({
    animation: false,
    title: { text: title, left: 'center' },
    xAxis: { type: 'value', name: 'requests', nameLocation: 'middle', nameGap: 28, max: requests },
    yAxis: { type: 'value', name: 'resident MiB', min: 0 },
    series: [{ type: 'line', data: points, showSymbol: false }]
  })
  const folder = fileURLToPath(new URL('./results', import.meta.url))
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${folder}/${values.name}.svg`, chart.renderToSVGString())
  chart.dispose()
}

const service = await startService(values.preload ? { LD_PRELOAD: values.preload } : {})
const created = await fetch(service.url + base, { method: 'PUT' })
if (!created.ok) throw new Error(await created.text())
const points = [[0, (await service.memory()).resident]]
const startedAt = performance.now()
const counts = await send(service.url, async (number) =>
  points.push([number, (await service.memory()).resident])
)
const seconds = (performance.now() - startedAt) / 1000
const { resident, peak } = await service.memory()
await service.stop()
points.sort((a, b) => a[0] - b[0])
const half = points.filter(([number]) => number >= requests / 2)
const round = (value) => Number(value.toFixed(1))
const row = {
  allocator: values.preload?.split('/').at(-1) ?? 'of the system',
  requests,
  'requests/s': round(requests / seconds),
  'start MiB': round(points[0][1]),
  'half MiB': round(half[0][1]),
  'end MiB': round(resident),
  'peak MiB': round(peak),
  'MiB per 10,000 requests, second half': round(slope(half) * 10_000)
}
plot(points, `Resident memory over ${requests.toLocaleString('en')} mixed requests`)
report(values.name, { memory: [row], answers: [counts] }, { points })
