// A bulk load of many records by one client: time, resident memory on the way and after, the restart from a
// snapshot, recall@10 against the exact answer, latency. With --kill the service is killed by SIGKILL midway,
// and the load resumed by its key; with --text lines are texts that the model encodes.
// node bench/bulk.js [--lines 1000000] [--dimension 256] [--encoding base64|numbers] [--kill] [--text]
//   [--queries 1000] The service must be built (npm run build).
import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { clusteredVectors } from './clusters.js'
import { callTimes, percentile } from './load.js'
import { report } from './report.js'
import { newFolder, startService } from './service.js'

const { values } = parseArgs({
  options: {
    lines: { type: 'string', default: '1000000' },
    dimension: { type: 'string', default: '256' },
    encoding: { type: 'string', default: 'base64' },
    every: { type: 'string', default: '100000' },
    queries: { type: 'string', default: '1000' },
    kill: { type: 'boolean', default: false },
    text: { type: 'boolean', default: false },
    name: { type: 'string', default: 'bulk' }
  }
})
const [count, dimension, every, queryCount] = [
  values.lines,
  values.dimension,
  values.every,
  values.queries
].map(Number)
/** Recall is measured on so many queries. */
const RECALLED = 200
/** Memory is read when garbage has been collected. */
const REST_MS = 15_000
/** Lines that are sent in one piece. */
const PIECE = 100
const KEY = 'bench'
const base = '/v1/collections/bench'
const WORDS = [
  'red',
  'apple',
  'dog',
  'blue',
  'car',
  'small',
  'tree',
  'rain',
  'two',
  'cats',
  'boat',
  'green',
  'old',
  'house',
  'bird',
  'snow'
]

const round = (value, digits = 1) => Number(value.toFixed(digits))
const seconds = (from) => (performance.now() - from) / 1000

/** The lines from a number on (the first is 1), the same each time. */
function* lines(from) {
  const { next, random } = clusteredVectors(dimension)
  const word = () => WORDS[Math.floor(random() * WORDS.length)]
  for (let n = 1; n <= count; n++) {
    const metadata = { part: Math.round(random() * 1000), group: n % 10 }
    const content = values.text
      ? { text: `${word()} ${word()} ${word()} ${n}` }
      : { embeddings: { image: encode(next()) } }
    if (n >= from) yield JSON.stringify({ id: `v${n}`, metadata, ...content }) + '\n'
  }
}

function encode(vector) {
  return values.encoding === 'base64'
    ? Buffer.from(Float32Array.from(vector).buffer).toString('base64')
    : vector
}

async function* body(from) {
  let piece = []
  for (const line of lines(from)) {
    if (piece.push(line) < PIECE) continue
    yield Buffer.from(piece.join(''))
    piece = []
  }
  if (piece.length > 0) yield Buffer.from(piece.join(''))
}

/**
 * Sends the lines from a number on; samples memory on the way. Resolves to the counts by status when all is
 * answered, or the service is gone.
 */
async function load(service, { from = 1, onLines = () => undefined }) {
  const counts = {}
  let [answered, rest, isWhole] = [from - 1, '', false]
  try {
    const response = await fetch(`${service.url}${base}/records/bulk?from_line=${from}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson', 'idempotency-key': KEY },
      body: body(from),
      duplex: 'half'
    })
    if (response.status !== 200)
      throw new Error(`The load was answered ${response.status}: ${await response.text()}`)
    for await (const chunk of response.body) {
      const answers = (rest + Buffer.from(chunk).toString()).split('\n')
      rest = answers.pop()
      for (const answer of answers) {
        const { status = 'ended', error } = JSON.parse(answer)
        if (status === 'ended' || status === 'failed')
          throw new Error(`It was answered: ${answer}`, { cause: error })
        counts[status] = (counts[status] ?? 0) + 1
        answered++
        if (answered % every === 0) await onLines(answered)
      }
    }
    isWhole = true
  } catch (error) {
    if (!values.kill) throw error
  }
  return { counts, isWhole }
}

async function pending(url) {
  return Number(/semblance_index_pending (\d+)/.exec(await (await fetch(`${url}/metrics`)).text())[1])
}

async function post(url, path, content) {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(content)
  })
  return response.json()
}

/** The mean part of the exact ten best that the graph finds. */
async function recall(url, queries) {
  let sum = 0
  for (const query of queries.slice(0, RECALLED)) {
    const [found, exact] = [
      await post(url, `${base}/search`, query),
      await post(url, `${base}/search`, { ...query, exact: true })
    ]
    const best = new Set(exact.matches.map(({ id }) => id))
    sum += found.matches.filter(({ id }) => best.has(id)).length / best.size
  }
  return sum / Math.min(RECALLED, queries.length)
}

const dataDir = await newFolder()
const env = { ENCODER_WORKERS: '1', DECODE_WORKERS: '1' }
let service = await startService(env, { dataDir })
await sleep(REST_MS)
const empty = (await service.memory()).resident
const settings = values.text ? {} : { model: null, dimension }
const created = await fetch(service.url + base, {
  method: 'PUT',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(settings)
})
if (created.status !== 201)
  throw new Error(`The collection was answered ${created.status}: ${await created.text()}`)

const startedAt = performance.now()
const progress = []
let last = { at: startedAt, lines: 0 }
const onLines = async (answered) => {
  const { resident, peak } = await service.memory()
  const rate = (answered - last.lines) / seconds(last.at)
  last = { at: performance.now(), lines: answered }
  progress.push({
    lines: answered,
    s: round(seconds(startedAt)),
    'lines/s': round(rate, 0),
    'RSS MiB': round(resident, 0),
    'peak MiB': round(peak, 0)
  })
  console.log(JSON.stringify(progress.at(-1)))
  if (values.kill && answered >= count / 2 && !killed) {
    killed = { at: answered }
    await service.kill()
  }
}
let killed
const first = await load(service, { onLines })
let { counts } = first
if (!first.isWhole) {
  const from = performance.now()
  service = await startService(env, { dataDir })
  const known = await (await fetch(`${service.url}${base}/bulk/${KEY}`)).json()
  Object.assign(killed, { 'lines known': known.lines, 'ready again s': round(seconds(from)) })
  last = { at: performance.now(), lines: known.lines }
  const resumed = await load(service, { from: known.lines + 1, onLines })
  counts = { before: known.created, ...resumed.counts }
}
const answeredAfter = seconds(startedAt)
while ((await pending(service.url)) > 0) await sleep(100)
const loadSeconds = seconds(startedAt)
const {
  lines: total,
  created: createdLines,
  updated,
  failed,
  completed
} = await (await fetch(`${service.url}${base}/bulk/${KEY}`)).json()
await sleep(REST_MS)
const loaded = await service.memory()
const { records } = await (await fetch(service.url + base)).json()

// Around the same centres, which the generator draws first, but other vectors.
const { next, random } = clusteredVectors(dimension)
for (let i = 0; i < 12_345; i++) random()
const queries = Array.from({ length: queryCount }, (_, n) =>
  values.text
    ? { query: { text: `${WORDS[n % 16]} ${WORDS[(n * 7) % 16]} ${n}` }, target: 'text', limit: 10, with: [] }
    : { query: { embedding: next() }, limit: 10, with: [] }
)
const found = await recall(service.url, queries)
const times = await callTimes(service.url, {
  path: `${base}/search`,
  bodies: queries.map((query) => JSON.stringify(query))
})
const stopped = await service.stop()
service = await startService(env, { dataDir })
const { ready } = service
await sleep(REST_MS)
const restarted = await service.memory()
await service.stop()
await rm(dataDir, { recursive: true })

report(values.name, {
  progress,
  load: [
    {
      lines: total,
      dimension: values.text ? 'text' : dimension,
      encoding: values.text ? '' : values.encoding,
      'answered s': round(answeredAfter),
      'indexed s': round(loadSeconds),
      'lines/s': round(count / loadSeconds, 0),
      records,
      created: createdLines,
      updated,
      failed,
      completed
    }
  ],
  memory: [
    {
      'empty MiB': round(empty, 0),
      'peak MiB': round(loaded.peak, 0),
      'loaded MiB': round(loaded.resident, 0),
      'restarted MiB': round(restarted.resident, 0),
      'stop s': round(stopped),
      'ready from snapshot s': round(ready, 2)
    }
  ],
  search: [
    {
      'recall@10': round(found, 4),
      'p50 ms': round(percentile(times, 0.5), 2),
      'p99 ms': round(percentile(times, 0.99), 2)
    }
  ],
  ...(killed && { killed: [{ ...killed, ...counts }] })
})
