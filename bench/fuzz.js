// Hostile images through the real service: what it answers, how long it takes, what becomes of its memory.
// npm run fuzz -- [--inputs 20000] [--seed 1] [--first 0] [--seconds-each 10] [--concurrency 4] [--heavy 2] [--only N]
// Inputs are numbered, and one is made again from its seed and number. Those that fail are kept in --keep.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { makeLarge } from './fuzz/crafted.js'
import { makeInput } from './fuzz/inputs.js'
import { makeSeeds } from './fuzz/seeds.js'
import { sendAll } from './fuzz/send.js'
import { startService } from './service.js'

const text = (value) => ({ type: 'string', default: value })
const { values } = parseArgs({
  options: { inputs: text('20000'), seed: text('1'), first: text('0'), 'seconds-each': text('10'), concurrency: text('4'), heavy: text('2'), only: { type: 'string' }, keep: text('fuzz-failures') }
})
const number = (name) => Number(values[name])
const only = values.only === undefined ? undefined : number('only')
const [seed, first, heavyPerMille, secondsEach] = [number('seed'), only ?? number('first'), number('heavy'), number('seconds-each')]
const last = only === undefined ? first + number('inputs') : first + 1
/** How far beyond the peak of its first quarter the end of a run may be. */
const MAY_GROW = 1.15

const seeds = await makeSeeds(seed)
if (heavyPerMille > 0) await makeLarge()
const service = await startService()
const answers = []
const memory = []
const faults = []
let ended = false

async function* inputs() {
  for (let n = first; n < last && !ended; n++) yield { number: n, ...(await makeInput(seeds, { seed, number: n, heavyPerMille })) }
}

const startedAt = performance.now()
const watch = setInterval(async () => {
  const sample = await service.memory().catch(() => undefined)
  if (sample) memory.push({ at: answers.length, resident: sample.resident })
}, 250)

await sendAll({
  url: service.url,
  inputs: inputs(),
  concurrency: number('concurrency'),
  secondsEach,
  onAnswer: async ({ bytes, ...answer }) => {
    if (answer.fault) {
      faults.push(answer)
      await mkdir(values.keep, { recursive: true })
      await writeFile(join(values.keep, `seed-${seed}-number-${answer.number}`), bytes)
      console.log(`FAULT --seed ${seed} --only ${answer.number} (${answer.kind}, ${answer.way}): ${answer.fault}`)
    }
    if (only !== undefined) console.log(answer)
    answers.push({ kind: answer.kind, code: answer.code, ms: answer.ms, number: answer.number })
    if (answers.length % 1000 === 0) console.log(`${answers.length} sent, ${((performance.now() - startedAt) / 1000).toFixed(0)} s, ${faults.length} faults`)
    ended ||= answer.code === 'none' && !(await isAlive())
    return ended
  }
})
const seconds = (performance.now() - startedAt) / 1000
clearInterval(watch)

async function isAlive() {
  return fetch(`${service.url}/health/live`).then(({ ok }) => ok, () => false)
}

const codes = [...new Set(answers.map(({ code }) => code))].sort()
const byKind = Map.groupBy?.(answers, ({ kind }) => kind) ?? answers.reduce((map, answer) => map.set(answer.kind, [...(map.get(answer.kind) ?? []), answer]), new Map())
const rows = [...byKind].sort(([a], [b]) => (a < b ? -1 : 1)).map(([kind, list]) => {
  const slowest = list.reduce((slow, answer) => (answer.ms > slow.ms ? answer : slow))
  return [kind, list.length, ...codes.map((code) => list.filter((answer) => answer.code === code).length || ''), `${slowest.ms.toFixed(0)} ms (${slowest.number})`]
})
console.log(`| kind | inputs | ${codes.join(' | ')} | slowest (its number) |`)
console.log(`|${' --- |'.repeat(codes.length + 3)}`)
for (const row of rows) console.log(`| ${row.join(' | ')} |`)
console.log(`| all | ${answers.length} | ${codes.map((code) => answers.filter((answer) => answer.code === code).length).join(' | ')} | |`)

if (await isAlive()) {
  const metrics = await (await fetch(`${service.url}/metrics`)).text()
  const deaths = Number(/^semblance_worker_deaths_total (\d+)/m.exec(metrics)[1])
  await sleep(2000)
  const { resident, peak } = await service.memory()
  const part = (from, to) => Math.max(...memory.filter(({ at }) => at >= from * answers.length && at <= to * answers.length).map((sample) => sample.resident))
  console.log(`${answers.length} inputs (seed ${seed}, from ${first}) in ${seconds.toFixed(0)} s, ${values.concurrency} at a time; process ${service.pid} lives, worker deaths ${deaths}, faults ${faults.length}`)
  console.log(`RSS in MiB: highest in each quarter ${[0, 0.25, 0.5, 0.75].map((from) => part(from, from + 0.25).toFixed(0)).join(', ')}; highest at all ${peak.toFixed(0)}; at the end ${resident.toFixed(0)}`)
  if (deaths > 0) faults.push({ fault: 'a worker died' })
  if (resident > MAY_GROW * part(0, 0.25)) faults.push({ fault: 'memory grew' })
  await service.stop()
} else {
  faults.push({ fault: 'the service ended' })
  console.log('The service ended.')
}
for (const line of service.log().split('\n').filter((entry) => /"level":[56]0/.test(entry)).slice(0, 20)) console.log(line.slice(0, 600))
process.exitCode = faults.length > 0 ? 1 : 0
