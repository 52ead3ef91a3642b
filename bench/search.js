// Search over embeddings that are supplied by the client, loaded over HTTP: recall@10 against the exact
// answer, latency at one client, rates at 1 and at 16, by filter; load time, memory by vector, time from a
// snapshot.
// node bench/search.js [--vectors 10000,100000,300000] [--dimension 512] [--queries 1000] [--seconds 5]
//   The service must be built (npm run build).
import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { clusteredVectors } from './clusters.js'
import { callTimes, closedLoop, percentile } from './load.js'
import { bulkLoad, createCollection } from './records.js'
import { report } from './report.js'
import { newFolder, startService } from './service.js'

const { values } = parseArgs({
  options: {
    vectors: { type: 'string', default: '10000,100000,300000' },
    dimension: { type: 'string', default: '512' },
    queries: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '5' },
    name: { type: 'string', default: 'search' }
  }
})
const sizes = values.vectors.split(',').map(Number)
const [dimension, queryCount, seconds] = [values.dimension, values.queries, values.seconds].map(Number)
/** By part of the records that pass, the bound of the filter. */
const PARTS = { none: undefined, '50 %': 500, '5 %': 50, '0.5 %': 5, '0.05 %': 0.5 }
/** Recall is measured on so many queries. */
const RECALLED = 200
/** Memory is read when garbage has been collected. */
const REST_MS = 15_000
/** Links of a vector in a graph of m 16, and its label. */
const LINK_BYTES = 148
const path = '/v1/collections/bench/search'

const round = (value, digits = 1) => Number(value.toFixed(digits))

/**
 * Query bodies of one filter; every other one has a filter of its own: a repeated one is answered from the
 * rows kept for it.
 */
function queryBodies(queries, part) {
  return queries.map((embedding, i) => {
    const filter = part && { part: { $lt: i % 2 ? part + i * 1e-9 : part } }
    return JSON.stringify({ query: { embedding }, limit: 10, with: [], filter })
  })
}

async function ask(url, body, more) {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...JSON.parse(body), explain: true, ...more })
  })
  return response.json()
}

/** The mean part of the exact ten best that a search finds, and how it was done. */
async function recall(url, bodies) {
  let [sum, count, explanation] = [0, 0]
  for (const body of bodies.slice(0, RECALLED)) {
    const [found, exact] = [await ask(url, body), await ask(url, body, { exact: true })]
    explanation = found.explanation
    const best = new Set(exact.matches.map(({ id }) => id))
    if (best.size === 0) continue
    sum += found.matches.filter(({ id }) => best.has(id)).length / best.size
    count++
  }
  return { ...explanation, recall: sum / count }
}

async function searchRows(url, queries) {
  const rows = []
  for (const [filter, part] of Object.entries(PARTS)) {
    const bodies = queryBodies(queries, part)
    const { recall: found, passed, strategy } = await recall(url, bodies)
    const alone = await callTimes(url, { path, bodies })
    const exact = await callTimes(url, {
      path,
      bodies: bodies.slice(0, RECALLED).map((body) => JSON.stringify({ ...JSON.parse(body), exact: true }))
    })
    const [one, many] = [
      await closedLoop(url, { path, bodies, connections: 1, seconds }),
      await closedLoop(url, { path, bodies, connections: 16, seconds })
    ]
    rows.push({
      filter,
      passed,
      strategy,
      'recall@10': round(found, 4),
      'p50 ms': round(percentile(alone, 0.5), 2),
      'p99 ms': round(percentile(alone, 0.99), 2),
      'p99 / unfiltered': 1,
      'exact p50 ms': round(percentile(exact, 0.5), 2),
      'QPS 1 client': round(one.rate, 0),
      'QPS 16 clients': round(many.rate, 0),
      'p99 ms, 16 clients': round(percentile(many.latencies, 0.99))
    })
    rows.at(-1)['p99 / unfiltered'] = round(rows.at(-1)['p99 ms'] / rows[0]['p99 ms'], 2)
  }
  return rows
}

/** Measures one size. */
async function measure(count) {
  const dataDir = await newFolder()
  const env = { ENCODER_WORKERS: '1', DECODE_WORKERS: '1' }
  const vectors = clusteredVectors(dimension)
  let service = await startService(env, { dataDir })
  await sleep(REST_MS)
  const empty = (await service.memory()).resident
  await createCollection(service.url, 'bench', dimension)
  const load = await bulkLoad(service, 'bench', { count, vectors })
  await sleep(REST_MS)
  const loaded = await service.memory()
  const rows = await searchRows(service.url, Array.from({ length: queryCount }, vectors.next))
  const searched = await service.memory()
  const stopped = await service.stop()
  service = await startService(env, { dataDir })
  await sleep(REST_MS)
  const restarted = await service.memory()
  await service.stop()
  await rm(dataDir, { recursive: true })
  const perVector = ({ resident }) => ((resident - empty) * 2 ** 20) / count
  const over = (memory, bytes) => round(perVector(memory) / bytes, 2)
  const memory = {
    vectors: count,
    'load s': round(load.seconds),
    'vectors/s': round(count / load.seconds, 0),
    'empty MiB': round(empty, 0),
    'peak MiB': round(loaded.peak, 0),
    'loaded MiB': round(loaded.resident, 0),
    'searched MiB': round(searched.resident, 0),
    'restarted MiB': round(restarted.resident, 0),
    'bytes a vector': round(perVector(loaded), 0),
    'over d x 4': over(loaded, dimension * 4),
    'over d x 4 + links': over(loaded, dimension * 4 + LINK_BYTES),
    'restarted, over d x 4 + links': over(restarted, dimension * 4 + LINK_BYTES),
    'stop s': round(stopped),
    'ready from snapshot s': round(service.ready, 2)
  }
  return { memory, rows }
}

const tables = { 'load and memory': [] }
for (const count of sizes) {
  const { memory, rows } = await measure(count)
  tables['load and memory'].push(memory)
  tables[`${count} x ${dimension}`] = rows
}
report(values.name, tables)
