// Sends requests to a service in several lanes at once, and judges the answers.
import { readFile } from 'node:fs/promises'
import { Agent } from 'node:http'
import fc from 'fast-check'
import { faultOf } from './contract.js'
import { startHealthProbe } from './health-probe.js'
import { findLosses, openLedger } from './ledger.js'
import { createRandom } from './random.js'
import { send } from './send.js'
import { openWorld } from './world.js'

/** Requests of one check of fast-check: their seed follows from that of the run. */
const CHUNK = 25
/** Tries to make a failing request smaller. */
const MOST_SHRINKS = 30
const SAMPLE_MS = 500

/**
 * A run of `total` requests, or of as many as go into `minutes`. Resolves to its figures and faults;
 * `onFault` hears of each kind of fault once, with the request as it was shrunk, and fast-check's seed and
 * path to send it again (`replay`).
 */
export async function run({
  url,
  pid,
  dataDir,
  requests,
  seed,
  total,
  minutes,
  lanes = 4,
  replay,
  heavyPerMille,
  onFault,
  onProgress
}) {
  const world = await openWorld({ url, seed, heavyPerMille })
  const known = await world.knownAnswers()
  const agent = new Agent({ keepAlive: true, maxSockets: lanes })
  const state = {
    url,
    dataDir,
    world,
    agent,
    requests,
    onFault,
    sent: 0,
    statuses: {},
    slowest: {},
    pictures: {},
    faults: new Map()
  }
  const endsAt = minutes ? performance.now() + minutes * 60_000 : Infinity
  const ledgers = Array.from({ length: lanes }, (_, lane) =>
    openLedger({ lane, random: createRandom(seed, lane), call: world.call })
  )
  const probe = startHealthProbe(url)
  const memory = watchMemory(pid, state)
  let chunk = 0
  const lane = async (ledger) => {
    while (chunk * CHUNK < (total ?? Infinity) && performance.now() < endsAt) {
      const parameters = { seed: seed * 100_003 + chunk++, numRuns: CHUNK }
      await world.renew()
      for (let i = 0; i < 3; i++) await ledger.write()
      await check(state, parameters)
      onProgress?.(state)
      // Of a service that has ended nothing more is to be learned.
      if ((await world.call('GET', '/health/live')).error) return
    }
  }
  if (replay) await check(state, replay)
  else await Promise.all(ledgers.map(lane))
  agent.destroy()
  const health = await probe.stop()
  const figures = await memory.stop()
  const { losses, ids } = await findLosses(ledgers, world.call)
  const isKnown = JSON.stringify(known) === JSON.stringify(await world.knownAnswers())
  return {
    sent: state.sent,
    statuses: state.statuses,
    slowest: state.slowest,
    pictures: state.pictures,
    faults: [...state.faults.values()],
    health,
    memory: figures,
    losses,
    ledgerIds: ids,
    isKnown,
    workerDeaths: await workerDeaths(world)
  }
}

/** One check; it is made again after a fault of a new kind, so that no fault hides those behind it. */
async function check(state, parameters) {
  for (;;) {
    const attempt = { shrinks: 0 }
    const property = fc.asyncProperty(state.requests, (request) => holds(state, request, attempt))
    const { failed, seed, counterexamplePath, numShrinks } = await fc.check(property, parameters)
    if (!failed) return
    const fault = { ...attempt.fault, replay: `${seed}/${counterexamplePath}`, shrinks: numShrinks }
    state.faults.set(fault.kind, fault)
    await state.onFault?.(fault)
    if (parameters.path !== undefined) return
  }
}

/** Sends a request, and throws where its answer has a fault of a kind that is not known yet. */
async function holds(state, choice, attempt) {
  if (attempt.fault && ++attempt.shrinks > MOST_SHRINKS) return
  const request = await choice.render(state.world)
  const answer = await send(state, request)
  count(state, request, answer)
  if (answer === undefined) return
  const fault = answer.error ? brokenOff(request, answer.error) : faultOf(request, answer, state)
  if (answer.headers?.['content-type']?.startsWith('application/json') && !fault)
    learn(state, request, answer)
  if (!fault) return
  // What fails here has a cause in the operation; most of the rest has one for all of them.
  const kind = answer.error || answer.status >= 500 ? `${choice.operation.id}: ${fault}` : fault
  const known = state.faults.get(kind)
  if (known) return void (known.times++, known.operations.add(choice.operation.id))
  if (attempt.fault && attempt.fault.kind !== kind) return
  attempt.fault = {
    kind,
    request,
    answer: answer.text?.slice(0, 300),
    times: 1,
    operations: new Set([choice.operation.id])
  }
  throw new Error(kind)
}

/** Who is still sending much when the answer comes may find the connection closed before it is read. */
function brokenOff({ way, bytes }, { code, message }) {
  const isSending = way === 'trickled' || bytes?.length > 1 << 16
  return isSending && ['EPIPE', 'ECONNRESET'].includes(code) ? undefined : `no answer: ${message}`
}

function learn({ world }, { operation }, { status, text }) {
  if (operation && status < 300 && text) world.learn(operation.id, JSON.parse(text))
}

function count(state, { operation, picture }, answer) {
  state.sent++
  const status = answer === undefined ? 'abandoned' : (answer.status ?? 'none')
  state.statuses[status] = (state.statuses[status] ?? 0) + 1
  const id = operation?.id ?? 'odd path or method'
  if (answer?.ms > (state.slowest[id] ?? 0)) state.slowest[id] = answer.ms
  if (picture === undefined) return
  const code = /"code":"(\w+)"/.exec(answer.text)?.[1] ?? answer.status
  const row = (state.pictures[picture] ??= { slowest: 0 })
  row[code] = (row[code] ?? 0) + 1
  row.slowest = Math.max(row.slowest, Math.round(answer.ms))
}

/**
 * Resident memory over a run, in MiB: after the first tenth of it, at the end, at most, and how it grew in
 * the second half.
 */
function watchMemory(pid, state) {
  const samples = []
  const sample = async () => {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
    const resident = /VmRSS:\s+(\d+)/.exec(status)
    if (resident) samples.push({ sent: state.sent, mib: Number(resident[1]) / 1024 })
  }
  const timer = setInterval(sample, SAMPLE_MS)
  return {
    stop: async () => {
      clearInterval(timer)
      await sample()
      const half = samples.filter(({ sent }) => sent >= state.sent / 2)
      return {
        warm: Math.max(...samples.filter(({ sent }) => sent <= state.sent / 4).map(({ mib }) => mib)),
        end: samples.at(-1)?.mib,
        peak: Math.max(...samples.map(({ mib }) => mib)),
        slopePerThousand: slope(half.map(({ sent, mib }) => [sent / 1000, mib]))
      }
    }
  }
}

/** Of the line of least squares through points. */
function slope(points) {
  const mean = (of) => points.reduce((sum, point) => sum + point[of], 0) / points.length
  const [x, y] = [mean(0), mean(1)]
  return (
    points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0) /
    points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0)
  )
}

async function workerDeaths({ call }) {
  const { text } = await call('GET', '/metrics')
  return Number(/^semblance_worker_deaths_total (\d+)/m.exec(text ?? '')?.[1])
}
