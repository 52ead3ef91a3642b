// Generated requests to the real service: whether each answer keeps to openapi.yaml, and what becomes of
// health and memory.
// npm run fuzz -- [--minutes 10 | --requests 10000] [--seed 1] [--of requests|pictures] [--lanes 4] [--heavy
//   0] [--replay SEED/PATH] Requests follow from the seed; a fault says with what --seed and --replay its
//   request is sent again, alone. --heavy: per mille of pictures of full size. Bodies of faults that are too
//   long for a line are kept in --keep.
import { mkdirSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { makeLarge } from './fuzz/crafted.js'
import { pictureRequests } from './fuzz/picture-requests.js'
import { allRequests } from './fuzz/requests.js'
import { run } from './fuzz/run.js'
import { asCurl } from './fuzz/send.js'
import { ENVIRONMENT } from './fuzz/world.js'
import { newFolder, startService } from './service.js'

const text = (value) => ({ type: 'string', ...(value !== undefined && { default: value }) })
const { values } = parseArgs({
  options: {
    minutes: text(),
    requests: text(),
    seed: text('1'),
    of: text('requests'),
    lanes: text('4'),
    heavy: text('0'),
    replay: text(),
    keep: text('fuzz-failures')
  }
})
const seed = Number(values.seed)
/** How far beyond the peak of its first quarter the end of a run may be. */
const MAY_GROW = 1.15
const HEALTH_MS = 250

const keep = (bytes) => {
  mkdirSync(values.keep, { recursive: true })
  const file = join(values.keep, `body-${seed}-${Date.now()}`)
  writeFileSync(file, bytes)
  return file
}
const replay = values.replay && {
  seed: Number(values.replay.split('/')[0]),
  path: values.replay.split('/')[1],
  endOnFailure: true
}
if (Number(values.heavy) > 0) await makeLarge()
const dataDir = await newFolder()
const service = await startService(ENVIRONMENT, { dataDir })
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => service.kill().then(() => process.exit(1)))
const startedAt = performance.now()
let toldAt = 0

const result = await run({
  url: service.url,
  pid: service.pid,
  dataDir,
  requests: values.of === 'pictures' ? pictureRequests() : allRequests(),
  seed,
  replay,
  lanes: Number(values.lanes),
  heavyPerMille: Number(values.heavy),
  ...(values.minutes ? { minutes: Number(values.minutes) } : { total: Number(values.requests ?? 10_000) }),
  onFault: ({ kind, request, answer, replay: again, shrinks }) => {
    console.log(
      `\nFAULT ${kind}\n  npm run fuzz -- --of ${values.of} --seed ${seed} --replay ${again} ` +
        `(${shrinks} times smaller; sent ${request.way})`
    )
    console.log(`  ${asCurl(service.url, request, keep)}\n  ${answer}`)
  },
  onProgress: ({ sent, faults }) => {
    if (sent - toldAt < 500) return
    toldAt = sent
    console.log(
      `${sent} sent, ${((performance.now() - startedAt) / 1000).toFixed(0)} s, ${faults.size} kinds of fault`
    )
  }
})

const { health, memory } = result
const broken = [
  ...result.faults.map(
    ({ kind, times, operations }) => `${kind} (${times} times: ${[...operations].join(', ')})`
  ),
  ...result.losses,
  ...(result.isKnown ? [] : ['a known search is answered differently']),
  ...(result.workerDeaths === 0 ? [] : [`worker deaths: ${result.workerDeaths}`]),
  ...(health.failed + health.over250Alone === 0
    ? []
    : [`health: ${health.failed} failed, ${health.over250Alone} over ${HEALTH_MS} ms`]),
  ...(memory.end <= MAY_GROW * memory.warm ? [] : ['memory grew'])
]
console.log(
  `\n${result.sent} requests (seed ${seed}) in ${((performance.now() - startedAt) / 1000).toFixed(0)} ` +
    `s by ${values.lanes} lanes; by status ${JSON.stringify(result.statuses)}`
)
console.log(
  `health: ${health.answers} answers, p99 ${health.p99.toFixed(0)} ms, worst ` +
    `${health.worst.toFixed(0)} ms (the machine was ${health.late.toFixed(0)} ms late then), ` +
    `${health.over250} over ${HEALTH_MS} ms, ${health.over250Alone} of these not by the machine`
)
console.log(
  `RSS in MiB: highest of the first quarter ${memory.warm.toFixed(0)}, at the end ` +
    `${memory.end?.toFixed(0)}, peak ${memory.peak.toFixed(0)}, slope of the second half ` +
    `${memory.slopePerThousand.toFixed(1)} per 1,000 requests`
)
console.log(
  `acknowledged writes: ${result.ledgerIds} ids, ${result.losses.length} not as acknowledged; known ` +
    `searches ${result.isKnown ? 'the same' : 'DIFFER'}; worker deaths ${result.workerDeaths}`
)
if (values.of === 'pictures') console.table(Object.fromEntries(Object.entries(result.pictures).sort()))
console.table(
  Object.entries(result.slowest)
    .sort(([, a], [, b]) => b - a)
    .slice(0, 12)
    .map(([operation, ms]) => ({ operation, 'slowest ms': Math.round(ms) }))
)
for (const line of broken) console.log(`BROKEN ${line}`)
for (const line of service
  .log()
  .split('\n')
  .filter((entry) => /"level":[56]0/.test(entry))
  .slice(0, 20))
  console.log(line.slice(0, 600))
await service.stop().catch(() => undefined)
await rm(dataDir, { recursive: true })
process.exitCode = broken.length > 0 ? 1 : 0
