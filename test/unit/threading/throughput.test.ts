import t from 'tap'
import { Throughput } from '../../../src/threading/throughput.js'

/** Runs of some entries that end one after the other, while others wait. */
function run(
  throughput: Throughput,
  { from = 0, runs, entries = 1, every }: { from?: number; runs: number; entries?: number; every: number }
): number {
  let now = from
  for (let i = 0; i < runs; i++) throughput.ended(entries, { now: (now += every), waiting: 1 })
  return now
}

const near = (value: number, wanted: number) => Math.abs(value - wanted) <= wanted * 0.05

t.test('the wait is the length over the throughput', async (t) => {
  const throughput = new Throughput()
  t.equal(throughput.waitMs(100, 0), 0, 'nothing is known')
  const now = run(throughput, { runs: 50, entries: 4, every: 100 })
  t.ok(near(throughput.waitMs(400, now), 10_000))
  t.equal(throughput.waitMs(0, now), 0)
})

t.test('a moment says nothing yet', async (t) => {
  const throughput = new Throughput()
  t.equal(throughput.waitMs(100, run(throughput, { runs: 20, every: 10 })), 0)
  t.ok(near(throughput.waitMs(100, run(throughput, { from: 200, runs: 20, every: 10 })), 1000))
})

t.test('idle times do not count, and what ran alone says nothing', async (t) => {
  const throughput = new Throughput()
  run(throughput, { runs: 40, every: 50 })
  throughput.emptied()
  const later = 3_600_000
  t.ok(near(throughput.waitMs(20, later), 1000))
  for (let i = 1; i <= 20; i++) throughput.ended(1, { now: later + i * 1000, waiting: 0 })
  t.ok(near(throughput.waitMs(20, later + 20_000), 1000))
})

t.test('it follows a change, and batches of mixed cost by their mean', async (t) => {
  const throughput = new Throughput()
  let now = run(throughput, { runs: 200, every: 50 })
  now = run(throughput, { from: now, runs: 50, every: 500 })
  t.ok(near(throughput.waitMs(10, now), 5000), 'ten times slower')
  for (let i = 0; i < 200; i++)
    throughput.ended(i % 2 ? 1 : 9, { now: (now += i % 2 ? 20 : 180), waiting: 5 })
  t.ok(near(throughput.waitMs(50, now), 1000))
})

t.test('a run that does not end lengthens the wait', async (t) => {
  const throughput = new Throughput()
  const now = run(throughput, { runs: 100, every: 50 })
  const before = throughput.waitMs(10, now)
  t.equal(throughput.waitMs(10, now + 40), before, 'not while it is due')
  t.ok(throughput.waitMs(10, now + 60_000) > 10 * before)
})

t.test('a slowdown shows after few runs', async (t) => {
  const throughput = new Throughput()
  const now = run(throughput, { from: run(throughput, { runs: 200, every: 50 }), runs: 2, every: 500 })
  t.ok(throughput.waitMs(10, now) > 1000, 'twice what the last five seconds say')
})
