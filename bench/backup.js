// Seconds that a backup, a restore under another name and an export take, the searches of one client
// meanwhile, and memory.
// node bench/backup.js [--vectors 100000] [--dimension 512]
//   The service must be built (npm run build).
import { parseArgs } from 'node:util'
import { clusteredVectors } from './clusters.js'
import { percentile } from './load.js'
import { bulkLoad, createCollection } from './records.js'
import { report } from './report.js'
import { startService } from './service.js'

const { values } = parseArgs({
  options: {
    vectors: { type: 'string', default: '100000' },
    dimension: { type: 'string', default: '512' },
    name: { type: 'string', default: 'backup' }
  }
})
const [count, dimension] = [values.vectors, values.dimension].map(Number)
const IDLE_MS = 3000

const service = await startService()
const vectors = clusteredVectors(dimension)
await createCollection(service.url, 'bench', dimension)
await bulkLoad(service, 'bench', { count, vectors })
const queries = Array.from({ length: 100 }, () =>
  JSON.stringify({ query: { embedding: vectors.next() }, limit: 10 })
)

const json = async (path, body) => {
  const response = await fetch(service.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body)
  })
  if (!response.ok) throw new Error(`${path} was answered ${response.status}: ${await response.text()}`)
  return response.json()
}
const read = async (path) => {
  let bytes = 0
  for await (const chunk of (await fetch(service.url + path)).body) bytes += chunk.length
  return { bytes }
}

/** Does some work while one client searches; a row of how both went. */
async function row(work, run) {
  const startedAt = performance.now()
  let done = false
  const working = run().finally(() => (done = true))
  const times = []
  while (!done) {
    const from = performance.now()
    await (
      await fetch(`${service.url}/v1/collections/bench/search`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: queries[times.length % queries.length]
      })
    ).arrayBuffer()
    times.push(performance.now() - from)
  }
  const { bytes } = (await working) ?? {}
  const seconds = (performance.now() - startedAt) / 1000
  const { resident, peak } = await service.memory()
  const shown = (value, digits = 1) => Number(value.toFixed(digits))
  return {
    work,
    seconds: shown(seconds, 2),
    MB: bytes === undefined ? '' : shown(bytes / 1e6),
    'search p50 ms': shown(percentile(times, 0.5)),
    'search p99 ms': shown(percentile(times, 0.99)),
    'resident MiB': shown(resident, 0),
    'peak MiB': shown(peak, 0)
  }
}

const rows = [
  await row('none', () => new Promise((resolve) => setTimeout(resolve, IDLE_MS))),
  await row('backup', () => json('/v1/collections/bench/backups', { name: 'bench' })),
  await row('download', () => read('/v1/collections/bench/backups/bench')),
  await row('export, NDJSON with embeddings', () => read('/v1/collections/bench/export?embeddings=true')),
  await row('export, NumPy', () => read('/v1/collections/bench/export/image.npy')),
  await row(
    'restore',
    async () => void (await json('/v1/collections/copy/restore', { backup: 'bench', from: 'bench' }))
  )
]
await service.stop()
report(values.name, { [`${count} x ${dimension}`]: rows })
