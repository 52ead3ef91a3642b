// What a map of a collection is made from, over HTTP: facets, the matrix of samples with its recall against
// exact searches, scores; and what a search and /health/live take alone and beside each.
// node bench/map.js [--vectors 100000] [--dimension 512] [--samples 2000,10000,100000] [--data-dir FOLDER: is
//   kept, and used again] The service must be built (npm run build).
import { rm } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { clusteredVectors } from './clusters.js'
import { callTimes, percentile } from './load.js'
import { bulkLoad, createCollection } from './records.js'
import { report } from './report.js'
import { newFolder, startService } from './service.js'

const { values } = parseArgs({
  options: {
    vectors: { type: 'string', default: '100000' },
    dimension: { type: 'string', default: '512' },
    samples: { type: 'string', default: '2000,10000,100000' },
    'data-dir': { type: 'string' },
    name: { type: 'string', default: 'map' }
  }
})
const [count, dimension] = [values.vectors, values.dimension].map(Number)
const base = '/v1/collections/bench'
/** Records whose neighbors are compared with those of an exact search. */
const RECALLED = 200
const K = 15
const QUERIES = 200

const round = (value, digits = 1) => Number(value.toFixed(digits))

/** Some fields as real collections have them: few values, many, numbers, lists. */
const metadata = (n) => ({
  group: `group ${n % 10}`,
  author: `author ${(n * 7919) % 5000}`,
  path: `photos/${n}.jpg`,
  year: 1990 + (n % 35),
  rating: ((n * 31) % 500) / 100,
  tags: [`tag ${n % 50}`, `tag ${(n * 13) % 200}`],
  taken: `20${String(n % 24).padStart(2, '0')}-0${1 + (n % 9)}-15`
})

async function call(url, path, body) {
  const startedAt = performance.now()
  const response = await fetch(
    url + base + path,
    body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  )
  const text = await response.text()
  if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${text}`)
  return { ms: performance.now() - startedAt, bytes: text.length, answer: JSON.parse(text) }
}

/**
 * What searches, and a call that needs the HTTP thread alone, take while some work continues (once each,
 * without).
 */
async function beside(url, bodies, work) {
  const latencies = { search: [], live: [] }
  let isOver = false
  const working = work?.().finally(() => (isOver = true))
  const ask = async () => {
    latencies.search.push(
      ...(await callTimes(url, {
        path: `${base}/search`,
        bodies: bodies.splice(0, 1).map((body) => (bodies.push(body), body))
      }))
    )
    latencies.live.push(...(await callTimes(url, { path: '/health/live', bodies: [undefined] })))
  }
  for (let n = 0; working ? !isOver : n < QUERIES; n++) await ask()
  return { result: await working, latencies }
}

const shown = ({ search, live }) => ({
  'search p50 ms': round(percentile(search, 0.5), 2),
  'search p99 ms': round(percentile(search, 0.99), 2),
  'search max ms': round(Math.max(...search), 1),
  'live max ms': round(Math.max(...live), 1)
})

function neighborsOf({ ids, neighbors, k }) {
  const positions = new Uint32Array(Uint8Array.from(Buffer.from(neighbors, 'base64')).buffer)
  return ids.map((_, row) => [...positions.subarray(row * k, row * k + k)].map((position) => ids[position]))
}

/** The part of the exact nearest ones, among the sample, that a matrix has. */
async function recall(url, matrix) {
  const neighbors = neighborsOf(matrix)
  const all = new Set(matrix.ids)
  let [found, total] = [0, 0]
  for (let n = 0; n < RECALLED; n++) {
    const row = Math.floor((n * matrix.ids.length) / RECALLED)
    const { answer } = await call(url, '/search', {
      query: { record: matrix.ids[row] },
      exact: true,
      limit: 1000,
      with: []
    })
    const best = answer.matches
      .map(({ id }) => id)
      .filter((id) => all.has(id))
      .slice(0, K)
    found += best.filter((id) => neighbors[row].includes(id)).length
    total += best.length
  }
  return found / total
}

const dataDir = values['data-dir'] ?? (await newFolder())
const service = await startService({ ENCODER_WORKERS: '1', DECODE_WORKERS: '1' }, { dataDir })
const { url } = service
const vectors = clusteredVectors(dimension)
const isLoaded = (await fetch(url + base)).status === 200
if (!isLoaded) {
  await createCollection(url, 'bench', dimension)
  await bulkLoad(service, 'bench', { count, vectors, metadata })
}
const bodies = Array.from({ length: QUERIES }, () =>
  JSON.stringify({ query: { embedding: vectors.next() }, limit: 10, with: [] })
)
const rows = []
const measure = async (what, work, more = async () => ({})) => {
  const { result, latencies } = await beside(url, bodies, work)
  rows.push({
    what,
    ms: result ? round(result.ms) : '',
    'answer KB': result ? round(result.bytes / 1000, 0) : '',
    ...shown(latencies),
    ...(result && (await more(result.answer)))
  })
}

await beside(url, bodies)
await measure('nothing')
const filter = encodeURIComponent(JSON.stringify({ year: { $gte: 2010 } }))
for (const [what, path] of [
  ['facets', '/facets'],
  ['facets, again', '/facets'],
  ['facets of those that pass a filter', `/facets?filter=${filter}`]
])
  await measure(what, () => call(url, path))
let ids
for (const sample of values.samples.split(',').map(Number)) {
  await measure(
    `matrix, sample ${sample}`,
    () => call(url, '/search/matrix', { sample, neighbors: K, fields: ['group'] }),
    async (answer) => {
      ids = answer.ids
      return { 'recall@15': round(await recall(url, answer), 4) }
    }
  )
}
const query = { embedding: vectors.next() }
for (const what of ['scores', 'scores, again'])
  await measure(`${what} of ${ids.length}`, () => call(url, '/search/scores', { query, ids }))
const saved = await fetch(`${url}${base}/snapshot`, { method: 'POST' }).then((response) => response.json())
const memory = await service.memory()
await service.stop()
if (!values['data-dir']) await rm(dataDir, { recursive: true })
report(values.name, {
  [`${count} x ${dimension}`]: rows,
  snapshot: saved.snapshots,
  memory: [{ 'resident MiB': round(memory.resident, 0), 'peak MiB': round(memory.peak, 0) }]
})
