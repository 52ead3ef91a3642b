// Latency of text searches at a steady rate, alone and while bulk ingest runs flat out; the query's encoding included.
//
//   npm run build && npm run bench:mixed -- [--rounds 3] [--seconds 10] [--rate 20] [--model FOLDER]
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { median, openLoop, percentile } from './load.js'
import { makePhotos, makeTexts } from './photos.js'
import { report } from './report.js'
import { startService } from './service.js'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' }, seconds: { type: 'string', default: '10' }, rate: { type: 'string', default: '20' }, model: { type: 'string', default: 'mini' }, texts: { type: 'boolean', default: false } } })
const [rounds, seconds, rate] = [values.rounds, values.seconds, values.rate].map(Number)
const photos = await makePhotos(32, { width: 640, height: 480 })
const service = await startService({ MODEL: values.model, EMBEDDING_CACHE_MIB: '0' })
const collection = '/v1/collections/mixed'
await fetch(service.url + collection, { method: 'PUT' })
const searches = makeTexts(20_000).map((text) => JSON.stringify({ text }))
let [ingests, asked] = [0, 0]

/** Ingests in a thread of its own, so that making the lines delays no search; `stop` resolves to the records written. */
function startIngest() {
  const worker = new Worker(new URL('./mixed-ingest.js', import.meta.url), { workerData: { url: service.url, path: `${collection}/records/bulk`, photos: values.texts ? [] : photos, from: ingests++ } })
  const written = new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  return { stop: () => (worker.postMessage('stop'), written) }
}

async function search() {
  const bodies = searches.slice(asked, (asked += rate * seconds))
  return openLoop(service.url, { path: `${collection}/search/text-to-image`, bodies, perSecond: rate, signal: AbortSignal.timeout(seconds * 1000) })
}

const rows = []
const warmUp = startIngest()
await search()
await warmUp.stop()
for (let round = 0; round < rounds; round++) {
  const alone = await search()
  const startedAt = performance.now()
  const ingest = startIngest()
  const during = await search()
  const written = await ingest.stop()
  const of = (latencies) => [percentile(latencies, 0.5), percentile(latencies, 0.99)]
  const [[p50, p99], [busy50, busy99]] = [of(alone), of(during)]
  rows.push({ searches: alone.length, 'alone p50 ms': p50, 'alone p99 ms': p99, 'ingest p50 ms': busy50, 'ingest p99 ms': busy99, 'p50 ratio': busy50 / p50, 'p99 ratio': busy99 / p99, 'records/s': written / ((performance.now() - startedAt) / 1000) })
}
await service.stop()
const rounded = (row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Number(value.toPrecision(3))]))
report('mixed', { rounds: rows.map(rounded), median: [rounded({ 'p50 ratio': median(rows.map((row) => row['p50 ratio'])), 'p99 ratio': median(rows.map((row) => row['p99 ratio'])) })] }, { rate, seconds, model: values.model })
