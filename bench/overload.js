// More load than the service can take, and cores taken away meanwhile: whether who is accepted is answered
// within the bounds, who is turned away, and what it costs.
//
//   npm run build && node bench/overload.js [--minutes 5] [--times 4] [--uploads 0.25] [--beside 2]
//     [--connections 300] [--fresh] [--max-queue-ms 10000] [--max-bulk-queue-ms 60000] [--deadline SECONDS]
//
// The rate that the service carries is measured first, by 16 callers. Then requests come at `times` that
// rate, whatever is answered; with --connections so many callers ask without pause instead. A part `uploads`
// of the requests stores one picture each, the others search by text and by picture in turn. After a fifth of
// the time `beside` busy processes start, and stay to the end. Exits with 1 when an accepted request waited
// longer than its bound.
import { Agent, request } from 'node:http'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { environmentSchema } from '../dist/config.js'
import { startBeside } from './beside.js'
import { percentile } from './load.js'
import { makePhotos, makeTexts } from './photos.js'
import { report } from './report.js'
import { startService } from './service.js'

const bound = (name) => String(environmentSchema.properties[name].default)
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    times: { type: 'string', default: '4' },
    uploads: { type: 'string', default: '0.25' },
    beside: { type: 'string', default: '0' },
    connections: { type: 'string', default: '0' },
    'max-queue-ms': { type: 'string', default: bound('MAX_QUEUE_MS') },
    'max-bulk-queue-ms': { type: 'string', default: bound('MAX_BULK_QUEUE_MS') },
    fresh: { type: 'boolean', default: false },
    deadline: { type: 'string', default: '0' }
  }
})
const [minutes, times, uploads, beside, connections, deadline] = [
  'minutes',
  'times',
  'uploads',
  'beside',
  'connections',
  'deadline'
].map((name) => Number(values[name]))
const [MAX_QUEUE_MS, MAX_BULK_QUEUE_MS] = [values['max-queue-ms'], values['max-bulk-queue-ms']]
const bounds = { search: Number(MAX_QUEUE_MS) || Infinity, upload: Number(MAX_BULK_QUEUE_MS) || Infinity }
const CARRIED_S = 10
const WARM_UP_S = 3
const CALLERS = 16
/** Open connections: enough for all that wait at the bounds. Under MAX_CONNECTIONS. */
const CONNECTIONS = 3000
/** Connections that are opened at a time. */
const BURST = 50
/** Uploads replace each other after so many, so that the collection does not grow without end. */
const RECORDS = 5000
/** How long the last requests are waited for. */
const ANSWERED_S = 120

// Without the cache every request costs what a new image or text costs.
const service = await startService({ EMBEDDING_CACHE_MIB: '0', MAX_QUEUE_MS, MAX_BULK_QUEUE_MS })
const collection = '/v1/collections/overload'
const photos = (await makePhotos(16, { width: 640, height: 480 })).map((jpeg) => {
  // Whole groups of base64, so that more can follow.
  return Buffer.concat([jpeg, Buffer.alloc((3 - (jpeg.length % 3)) % 3)]).toString('base64')
})
const texts = makeTexts(100_000)
/**
 * No two are the same picture, which would be encoded once: what follows the end of a JPEG changes nothing.
 */
const photo = (n) =>
  `{"base64":"${photos[n % photos.length]}${Buffer.from(`picture ${n}`).toString('base64')}"}`

// Callers keep their connections. Who opens one for each request waits for the system to hand it over, too.
const agent = new Agent({
  keepAlive: !values.fresh,
  maxSockets: CONNECTIONS,
  maxFreeSockets: CONNECTIONS,
  scheduling: 'fifo'
})
// Who asks for its health has connections of its own.
const probes = new Agent({ keepAlive: true })

/**
 * Resolves to the status (or the error of the connection), the code of an error, Retry-After and the
 * milliseconds.
 */
function call(method, path, { body, from = agent } = {}) {
  return new Promise((resolve) => {
    const startedAt = performance.now()
    const done = (answer) => resolve({ ms: performance.now() - startedAt, ...answer })
    const headers = {
      ...(body && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      ...(deadline > 0 && from === agent && { 'x-request-timeout': String(deadline) })
    }
    const outgoing = request(service.url + path, { agent: from, method, headers }, (response) => {
      let text = ''
      response.on('data', (chunk) => response.statusCode !== 200 && (text += chunk))
      response.once('error', (error) => done({ status: error.code, code: '' }))
      response.once('end', () => {
        const code = /"code":"([A-Z_]+)"/.exec(text)?.[1] ?? ''
        done({
          status: response.statusCode,
          code,
          retryAfter: Number(response.headers['retry-after'] ?? NaN)
        })
      })
    })
    outgoing.once('error', (error) => done({ status: error.code, code: '' }))
    outgoing.end(body)
  })
}

let sent = 0
const post = (path, body) => call('POST', `${collection}/${path}`, { body })
const searchText = () => post('search/text-to-image', JSON.stringify({ text: texts[sent++ % texts.length] }))
const searchPhoto = () => post('search/image-to-text', `{"image":${photo(sent++)}}`)
const upload = () => post('records', `{"records":[{"id":"r${sent % RECORDS}","image":${photo(sent++)}}]}`)
const searches = [searchText, searchPhoto]
let answers = { search: [], upload: [] }
let [asked, searched, waiting] = [0, 0, 0]

/** Sends the next request of the mix. */
async function next() {
  const n = asked++
  const kind = Math.floor((n + 1) * uploads) > Math.floor(n * uploads) ? 'upload' : 'search'
  waiting++
  const answer = await (kind === 'upload' ? upload() : searches[searched++ % searches.length]())
  answers[kind].push(answer)
  waiting--
  return answer
}

/** So many callers that ask without pause while `goesOn()`. */
const callers = (count, goesOn) =>
  Promise.all(
    Array.from({ length: count }, async () => {
      while (goesOn()) await next()
    })
  )

/**
 * Opens a connection and holds it; resolves to what gives it back to the agent, by a request that costs
 * nothing.
 */
function hold() {
  const outgoing = request(`${service.url}/health/live`, { agent })
  const answered = new Promise((resolve) =>
    outgoing.once('close', resolve).once('response', (response) => response.resume())
  )
  return new Promise((resolve, reject) => {
    const held = () => resolve(() => (outgoing.end(), answered))
    outgoing
      .once('error', reject)
      .once('socket', (socket) => (socket.connecting ? socket.once('connect', held) : held()))
  })
}

/** Opens so many connections, a few at a time. */
async function openConnections(count) {
  const held = []
  while (held.length < count) held.push(...(await Promise.all(Array.from({ length: BURST }, hold))))
  while (held.length > 0) await Promise.all(held.splice(0, BURST).map((release) => release()))
}

const created = await call('PUT', collection)
if (created.status !== 201 && created.status !== 200)
  throw new Error(`The collection answered ${created.status} ${created.code}.`)
const warmUntil = performance.now() + WARM_UP_S * 1000
await callers(CALLERS, () => performance.now() < warmUntil)
answers = { search: [], upload: [] }
const carriedFrom = performance.now()
await callers(CALLERS, () => performance.now() < carriedFrom + CARRIED_S * 1000)
const measured = [...answers.search, ...answers.upload].filter(({ status }) => status === 200).length
const carried = measured / ((performance.now() - carriedFrom) / 1000)
const rss = async () => (await service.memory()).resident
const [idle, before] = [await searchPhoto(), await rss()]

if (!values.fresh) await openConnections(connections || CONNECTIONS)

answers = { search: [], upload: [] }
const health = { live: [], ready: [] }
let peak = before
const seconds = minutes * 60
const startedAt = performance.now()
const elapsed = () => (performance.now() - startedAt) / 1000
// What this process is late by counts as a wait too.
const ownDelay = monitorEventLoopDelay({ resolution: 10 })
ownDelay.enable()
let others
const watch = (async () => {
  for (; elapsed() < seconds; await sleep(100)) {
    if (beside > 0 && elapsed() > seconds / 5) others ??= startBeside(beside, seconds + ANSWERED_S)
    for (const of of ['live', 'ready']) health[of].push(await call('GET', `/health/${of}`, { from: probes }))
    peak = Math.max(peak, await rss())
  }
})()
const isLoaded = () => elapsed() < seconds
if (connections > 0) await callers(connections, isLoaded)
else {
  for (const from = asked; isLoaded(); await sleep(5))
    while (asked - from < elapsed() * carried * times) void next()
}
await watch
while (waiting > 0 && elapsed() < seconds + ANSWERED_S) await sleep(20)
const answeredAfter = elapsed() - seconds
ownDelay.disable()
await others?.stop()
// Recovered is who answers about as fast as before the load.
let recovered
for (const from = performance.now(); recovered === undefined && performance.now() < from + 60_000;) {
  const { status, ms } = await searchPhoto()
  if (status === 200 && ms < 2 * Math.max(idle.ms, 50)) recovered = (performance.now() - from) / 1000
}
const after = await rss()
await service.stop()

const rounded = (value) => Number(value.toFixed(1))
const counts = (list, of) =>
  list.reduce((sums, answer) => ({ ...sums, [of(answer)]: (sums[of(answer)] ?? 0) + 1 }), {})
const named = ({ status, code }) => `${status} ${code}`.trim()
const ms = (list, p) =>
  list.length > 0
    ? Math.round(
        percentile(
          list.map((answer) => answer.ms),
          p
        )
      )
    : NaN
const isLate = (kind) => (answer) => answer.status === 200 && answer.ms > bounds[kind]
const accepted = Object.entries(answers).map(([kind, list]) => {
  const ok = list.filter(({ status }) => status === 200)
  return {
    kind,
    sent: list.length,
    accepted: ok.length,
    'per s': rounded(ok.length / seconds),
    'p50 ms': ms(ok, 0.5),
    'p99 ms': ms(ok, 0.99),
    'worst ms': ms(ok, 1),
    'bound ms': bounds[kind],
    'over it': ok.filter(isLate(kind)).length
  }
})
const refused = Object.entries(answers).flatMap(([kind, list]) => {
  const refusals = list.filter(({ status }) => status !== 200)
  return Object.entries(counts(refusals, named)).map(([answer, count]) => {
    const own = refusals.filter((refusal) => named(refusal) === answer)
    const retry = own.map(({ retryAfter }) => retryAfter)
    const retryAfter = `${percentile(retry, 0)} to ${percentile(retry, 1)}`
    return {
      kind,
      answer,
      count,
      'p99 ms': ms(own, 0.99),
      'worst ms': ms(own, 1),
      'Retry-After s': retryAfter
    }
  })
})
const probed = Object.entries(health).map(([of, list]) => ({
  probe: `/health/${of}`,
  asked: list.length,
  green: list.filter(({ status }) => status === 200).length,
  'p99 ms': ms(list, 0.99),
  'worst ms': ms(list, 1)
}))
const costs = {
  'requests/s that are carried': rounded(carried),
  'MiB resident before, at most and after': [before, peak, after].map(Math.round).join(', '),
  'seconds after the load until all were answered': rounded(answeredAfter),
  'never answered': waiting,
  'seconds until a search was as fast as idle': recovered === undefined ? '-' : rounded(recovered),
  'delay of this process, p99 and worst, in ms': [ownDelay.percentile(99), ownDelay.max]
    .map((ns) => Math.round(ns / 1e6))
    .join(', ')
}
report(
  'overload',
  { accepted, refused, health: probed, service: costs },
  { minutes, times, uploads, beside, connections, deadline }
)
if (accepted.some((row) => row['over it'] > 0)) process.exitCode = 1
