import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import t from 'tap'
import { makeInput } from '../../bench/fuzz/inputs.js'
import { allRequests } from '../../bench/fuzz/requests.js'
import { run } from '../../bench/fuzz/run.js'
import { makeSeeds } from '../../bench/fuzz/seeds.js'
import { asCurl } from '../../bench/fuzz/send.js'
import { ENVIRONMENT } from '../../bench/fuzz/world.js'
import { startProcess, whenReady } from '../fixtures/service.js'

// The same requests each time: a small part of what `npm run fuzz` sends in a long run.
const SEED = 7
const REQUESTS = 600

t.test('whatever is sent, answers keep to openapi.yaml and what was acknowledged is kept', async (t) => {
  const dataDir = t.testdir()
  const { url, child } = await startProcess(t, { ...ENVIRONMENT, DATA_DIR: dataDir })
  await whenReady(url)
  const keep = (bytes: Buffer) => {
    const file = join(tmpdir(), `semblance-fuzz-body-${SEED}-${bytes.length}`)
    writeFileSync(file, bytes)
    return file
  }
  const result = await run({
    url,
    pid: child.pid!,
    dataDir,
    requests: allRequests(),
    seed: SEED,
    total: REQUESTS,
    onFault: ({ kind, replay, request, answer }) =>
      t.comment(
        `${kind}\nnpm run fuzz -- --seed ${SEED} --replay ${replay}\n${asCurl(url, request, keep)}\n${answer}`
      )
  })
  const { faults, losses, health, memory, statuses } = result
  t.same(
    faults.map(({ kind, replay }) => ({ kind, replay })),
    [],
    'no answer is at fault'
  )
  t.same(losses, [], 'what was acknowledged is there, and nothing else')
  t.ok(result.isKnown, 'a collection that nobody wrote to answers as before')
  t.equal(result.workerDeaths, 0)
  t.equal(health.failed, 0, 'the service is up throughout')
  t.ok(result.sent >= REQUESTS)
  t.ok(statuses[200] > REQUESTS / 5, `the requests are no mere noise: ${JSON.stringify(statuses)}`)
  t.comment(
    `health: p99 ${health.p99.toFixed(0)} ms, worst ${health.worst.toFixed(0)} ms; RSS ` +
      `${memory.warm.toFixed(0)}, then ${memory.end.toFixed(0)} MiB`
  )
})

t.test('a picture is made again from its seed and number', async (t) => {
  const [seeds, again] = [await makeSeeds(SEED), await makeSeeds(SEED)]
  t.same(seeds, again)
  const bytesOf = async (number: number, seed = SEED) =>
    (await makeInput(seeds, { seed, number, heavyPerMille: 0 })).bytes
  let differing = 0
  for (let number = 0; number < 60; number++) {
    const bytes = await bytesOf(number)
    t.ok(bytes.equals(await bytesOf(number)), String(number))
    if (!bytes.equals(await bytesOf(number, SEED + 1))) differing++
  }
  t.ok(differing > 50, 'and another seed makes others')
})
