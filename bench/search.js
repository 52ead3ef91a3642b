// Bulk load, start-up and search over embeddings that are brought along: time, memory, recall@10 and latency by filter.
// node bench/search.js [--vectors 100000] [--dimension 256]
// Starts the built service (npm run build) on a data folder of its own.
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({ options: { vectors: { type: 'string', default: '100000' }, dimension: { type: 'string', default: '256' }, queries: { type: 'string', default: '300' } } })
const [count, dimension, queryCount] = [values.vectors, values.dimension, values.queries].map(Number)
const CLUSTERS = 1000
const SPREAD = 0.6
const PARTS = { 'none': undefined, '50 %': 500, '5 %': 50, '0.5 %': 5, '0.05 %': 0.5 }

let state = 42
const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32
const gaussian = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
const centres = Array.from({ length: CLUSTERS }, () => Float32Array.from({ length: dimension }, gaussian))
/** A vector around one of the clusters: embeddings of real things crowd, unlike random directions. */
function vector() {
  const centre = centres[Math.floor(random() * CLUSTERS)]
  const values = Array.from(centre, (value) => value + SPREAD * gaussian())
  const norm = Math.hypot(...values)
  return values.map((value) => Math.round((value / norm) * 1e6) / 1e6)
}

const dataDir = await mkdtemp(join(tmpdir(), 'semblance-bench-'))
const entry = fileURLToPath(new URL('../dist/cli/serve.js', import.meta.url))

/** Starts the service; resolves when it is ready, with how long that took in seconds. */
async function start() {
  const startedAt = performance.now()
  const child = spawn(process.execPath, [entry], { env: { ...process.env, PORT: '0', DATA_DIR: dataDir, DEMO: 'false', LOG_LEVEL: 'info', ENCODER_WORKERS: '1', DECODE_WORKERS: '1' }, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (chunk) => (output += chunk))
  const find = () => /listening at (http:\/\/[^"\s]+)/.exec(output)?.[1]
  while (!find() && child.exitCode === null) await sleep(10)
  const url = find()
  const listening = (performance.now() - startedAt) / 1000
  while ((await fetch(`${url}/health/ready`)).status !== 200) await sleep(20)
  return { child, url, listening, ready: (performance.now() - startedAt) / 1000 }
}
async function stop({ child }) {
  const startedAt = performance.now()
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await ended
  return (performance.now() - startedAt) / 1000
}
const memory = async ({ child }) => Number(/VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${child.pid}/status`, 'utf8'))[1]) / 1024
const json = { 'content-type': 'application/json' }
const base = '/v1/collections/bench'
const call = async ({ url }, path, body) => (await fetch(url + path, { method: 'POST', headers: json, body: JSON.stringify(body) })).json()
const percentile = (list, p) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * p))]

let service = await start()
console.log(`empty: ready in ${service.ready.toFixed(1)} s, ${(await memory(service)).toFixed(0)} MiB`)
await fetch(service.url + base, { method: 'PUT', headers: json, body: JSON.stringify({ model: null, dimension }) })

async function* lines() {
  for (let n = 0; n < count; ) {
    let chunk = ''
    for (let i = 0; i < 200 && n < count; i++, n++) chunk += JSON.stringify({ id: `v${n}`, metadata: { part: random() * 1000 }, embeddings: { image: vector() } }) + '\n'
    yield Buffer.from(chunk)
  }
}
const loadedAt = performance.now()
const response = await fetch(`${service.url}${base}/records/bulk`, { method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, body: lines(), duplex: 'half' })
let [answered, peak] = [0, 0]
for await (const chunk of response.body) {
  answered += Buffer.from(chunk).toString().split('"created"').length - 1
  peak = Math.max(peak, await memory(service))
}
const loadSeconds = (performance.now() - loadedAt) / 1000
const pending = async () => Number(/semblance_index_pending (\d+)/.exec(await (await fetch(`${service.url}/metrics`)).text())[1])
while ((await pending()) > 0) await sleep(100)
console.log(`bulk: ${answered} of ${count} x ${dimension} in ${loadSeconds.toFixed(0)} s (${(count / loadSeconds).toFixed(0)}/s), peak ${peak.toFixed(0)} MiB`)

const queries = Array.from({ length: queryCount }, vector)
const rows = []
for (const [name, part] of Object.entries(PARTS)) {
  const filter = part === undefined ? undefined : { part: { $lt: part } }
  const recalls = []
  const latencies = { plain: [], exact: [] }
  let explanation
  for (const [i, embedding] of queries.entries()) {
    // A filter of its own for every other query: a repeated one is answered from the rows kept for it.
    const own = filter && i % 2 ? { part: { $lt: part + i * 1e-9 } } : filter
    const search = async (exact) => {
      const startedAt = performance.now()
      const answer = await call(service, `${base}/search`, { query: { embedding }, limit: 10, filter: own, exact, explain: true, with: [] })
      latencies[exact ? 'exact' : 'plain'].push(performance.now() - startedAt)
      return answer
    }
    const [approximate, exact] = [await search(false), await search(true)]
    explanation = approximate.explanation
    const best = new Set(exact.matches.map(({ id }) => id))
    if (best.size > 0) recalls.push(approximate.matches.filter(({ id }) => best.has(id)).length / best.size)
  }
  const mean = recalls.reduce((a, b) => a + b, 0) / recalls.length
  rows.push({ filter: name, passed: explanation.passed, strategy: explanation.strategy, 'recall@10': mean.toFixed(4), 'p50 ms': percentile(latencies.plain, 0.5).toFixed(1), 'p99 ms': percentile(latencies.plain, 0.99).toFixed(1), 'exact p50 ms': percentile(latencies.exact, 0.5).toFixed(1) })
}
console.table(rows)
const plain99 = Number(rows[0]['p99 ms'])
console.log(`filtered p99 over the unfiltered: ${rows.slice(1).map((row) => `${row.filter} ${(row['p99 ms'] / plain99).toFixed(2)}`).join(', ')}`)
console.log(`after the searches: ${(await memory(service)).toFixed(0)} MiB`)

console.log(`stopped in ${(await stop(service)).toFixed(1)} s`)
service = await start()
console.log(`with snapshot: listening after ${service.listening.toFixed(1)} s, ready after ${service.ready.toFixed(1)} s, ${(await memory(service)).toFixed(0)} MiB`)
await stop(service)
await rm(join(dataDir, 'snapshots'), { recursive: true })
service = await start()
console.log(`without snapshot: listening after ${service.listening.toFixed(1)} s, ready after ${service.ready.toFixed(1)} s`)
await stop(service)
await rm(dataDir, { recursive: true })
