// Latency of text searches at a steady rate, alone and while bulk ingest runs flat out, or the dataset of a
// folder is evaluated again and again; the query's encoding included.
//
//  npm run build && npm run bench:mixed -- [--rounds 3] [--seconds 10] [--rate 20] [--model FOLDER] [--texts]
// [--evaluate DATASET]
import { basename, dirname, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { median, openLoop, percentile } from './load.js'
import { makePhotos, makeTexts } from './photos.js'
import { report } from './report.js'
import { startService } from './service.js'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '10' },
    rate: { type: 'string', default: '20' },
    model: { type: 'string', default: 'mini' },
    texts: { type: 'boolean', default: false },
    evaluate: { type: 'string' }
  }
})
const [rounds, seconds, rate] = [values.rounds, values.seconds, values.rate].map(Number)
const photos = await makePhotos(32, { width: 640, height: 480 })
const service = await startService({
  MODEL: values.model,
  EMBEDDING_CACHE_MIB: '0',
  ...(values.evaluate && { DATASETS_DIR: dirname(resolve(values.evaluate)) })
})
const collection = '/v1/collections/mixed'
await fetch(service.url + collection, { method: 'PUT' })
const searches = makeTexts(20_000).map((text) => JSON.stringify({ text }))
let [ingests, asked] = [0, 0]

/**
 * Ingests in a thread of its own, so that making the lines delays no search; `stop` resolves to the records
 * written.
 */
function startIngest() {
  const worker = new Worker(new URL('./mixed-ingest.js', import.meta.url), {
    workerData: {
      url: service.url,
      path: `${collection}/records/bulk`,
      photos: values.texts ? [] : photos,
      from: ingests++
    }
  })
  const written = new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  return { stop: () => (worker.postMessage('stop'), written) }
}

/** Evaluates without end; `stop` resolves to the evaluations that were begun. */
function startEvaluations() {
  const stopped = new AbortController()
  const run = async () => {
    let begun = 0
    for (; !stopped.signal.aborted; begun++) {
      const body = JSON.stringify({ dataset: { folder: basename(values.evaluate) }, seed: begun })
      const response = await fetch(`${service.url}/v1/evaluations`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body
      })
      if (response.status !== 202)
        throw new Error(`The evaluation answered ${response.status}: ${await response.text()}`)
      const path = `${service.url}/v1/evaluations/${(await response.json()).id}`
      for (
        let state = 'queued';
        ['queued', 'running'].includes(state) && !stopped.signal.aborted;
        await sleep(100)
      ) {
        ;({ state } = await (await fetch(path)).json())
        if (state === 'failed') throw new Error('The evaluation failed.')
      }
      await fetch(path, { method: 'DELETE' })
    }
    return begun
  }
  const evaluations = run()
  return { stop: () => (stopped.abort(), evaluations) }
}

const [start, [load, unit]] = values.evaluate
  ? [startEvaluations, ['evaluation', 'evaluations/s']]
  : [startIngest, ['ingest', 'records/s']]

async function search() {
  const bodies = searches.slice(asked, (asked += rate * seconds))
  return openLoop(service.url, {
    path: `${collection}/search/text-to-image`,
    bodies,
    perSecond: rate,
    signal: AbortSignal.timeout(seconds * 1000)
  })
}

const rows = []
const warmUp = start()
await search()
await warmUp.stop()
for (let round = 0; round < rounds; round++) {
  const alone = await search()
  const startedAt = performance.now()
  const running = start()
  const during = await search()
  const done = await running.stop()
  const of = (latencies) => [percentile(latencies, 0.5), percentile(latencies, 0.99)]
  const [[p50, p99], [busy50, busy99]] = [of(alone), of(during)]
  rows.push({
    searches: alone.length,
    'alone p50 ms': p50,
    'alone p99 ms': p99,
    [`${load} p50 ms`]: busy50,
    [`${load} p99 ms`]: busy99,
    'p50 ratio': busy50 / p50,
    'p99 ratio': busy99 / p99,
    [unit]: done / ((performance.now() - startedAt) / 1000)
  })
}
await service.stop()
const rounded = (row) =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Number(value.toPrecision(3))]))
report(
  'mixed',
  {
    rounds: rows.map(rounded),
    median: [
      rounded({
        'p50 ratio': median(rows.map((row) => row['p50 ratio'])),
        'p99 ratio': median(rows.map((row) => row['p99 ratio']))
      })
    ]
  },
  { rate, seconds, model: values.model }
)
