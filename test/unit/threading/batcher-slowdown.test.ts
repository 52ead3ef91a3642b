import { mock } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { Batcher } from '../../../src/threading/batcher.js'

const BOUND_MS = 1000
const STEP_MS = 5

/** One entry, from its admission on, on the clock of the test. */
interface Outcome {
  addedAt: number
  begunAt?: number
  answeredAt: number
  refused: boolean
}

/** A clock and timers of the test's own, until it ends; `now` is what `performance.now()` returns. */
function ownClock(t: Test): { now: number } {
  const clock = { now: 0 }
  mock.timers.enable({ apis: ['setTimeout'] })
  const { mock: replaced } = mock.method(performance, 'now', () => clock.now)
  t.teardown(() => {
    replaced.restore()
    mock.timers.reset()
  })
  return clock
}

/**
 * A worker of one entry at a time under twice the load that it can take, which slows down tenfold while
 * entries wait. The clock and the timers are the test's own, so that it passes in a moment and is the same
 * each time.
 */
async function slowdown(
  t: Test,
  fastMs: number,
  slowMs: number
): Promise<{ outcomes: Outcome[]; retryAfterMs: number[] }> {
  const clock = ownClock(t)
  const begun = new Map<number, number>()
  let runMs = fastMs
  const batcher = new Batcher<number, number>({
    run: ([item]) => {
      begun.set(item, clock.now)
      return new Promise((resolve) => setTimeout(() => resolve([item]), runMs))
    },
    maxBatchSize: 1,
    maxDelayMs: 0,
    concurrency: 1,
    maxQueueSize: 100_000,
    maxWaitMs: { interactive: BOUND_MS, bulk: BOUND_MS }
  })
  const outcomes: Outcome[] = []
  const retryAfterMs: number[] = []
  const add = (item: number) => {
    const addedAt = clock.now
    const note = (refused: boolean) =>
      void outcomes.push({ addedAt, begunAt: begun.get(item), answeredAt: clock.now, refused })
    batcher.add(item).then(
      () => note(false),
      ({ retryAfterMs: ms }) => (retryAfterMs.push(ms), note(true))
    )
  }
  const pass = async () => {
    clock.now += STEP_MS
    mock.timers.tick(STEP_MS)
    for (let i = 0; i < 3; i++) await turn()
  }
  for (let step = 0; step < 3000; step++) {
    if (step === 600) runMs = slowMs
    add(step)
    await pass()
  }
  while (batcher.running > 0 || batcher.queued > 0) await pass()
  return { outcomes, retryAfterMs }
}

t.test('the bound of the wait holds when the work slows down tenfold under what was admitted', async (t) => {
  const { outcomes, retryAfterMs } = await slowdown(t, 10, 100)
  t.equal(outcomes.length, 3000, 'each has its answer')
  const served = outcomes.filter(({ refused }) => !refused)
  t.ok(served.length > 300)
  const waits = served.map(({ addedAt, begunAt }) => begunAt! - addedAt)
  t.ok(Math.max(...waits) <= BOUND_MS + STEP_MS, `at most ${Math.max(...waits)} ms`)
  const unanswered = outcomes.filter(
    ({ refused, addedAt, answeredAt }) => refused && answeredAt - addedAt > BOUND_MS + STEP_MS
  )
  t.equal(unanswered.length, 0, 'who is refused late is told by the bound')
  t.equal(
    outcomes.filter(({ refused, begunAt }) => refused && begunAt !== undefined).length,
    0,
    'what has begun is finished'
  )
  t.ok(
    retryAfterMs.every((ms) => ms > 0),
    'with the time after which to try again'
  )
})

t.test('a request of many is rejected only while nothing of it has begun', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const release: (() => void)[] = []
  const batcher = new Batcher<string, string>({
    run: (items) => new Promise((resolve) => release.push(() => resolve(items))),
    maxBatchSize: 1,
    maxDelayMs: 0,
    concurrency: 1,
    maxQueueSize: 100,
    maxWaitMs: { interactive: BOUND_MS, bulk: 0 }
  })
  const outcome = (results: Promise<string>[]) =>
    Promise.all(results.map((result) => result.catch(({ code }) => code)))
  const first = outcome(batcher.addAll(['a', 'b', 'c']))
  const second = outcome(batcher.addAll(['d', 'e']))
  const unbound = outcome(batcher.addAll(['f'], { lane: 'bulk' }))
  await turn()
  mock.timers.tick(BOUND_MS + 1)
  t.same(await second, ['QUEUE_FULL', 'QUEUE_FULL'])
  for (let i = 0; i < 4; i++) {
    release.shift()!()
    await turn()
    await turn()
  }
  t.same(await first, ['a', 'b', 'c'])
  t.same(await unbound, ['f'], 'a lane without a bound waits')
})

t.test('a request is admitted by the time to its answer, what runs ahead of it included', async (t) => {
  const clock = ownClock(t)
  // Ten slots, through which one entry a tenth of a second comes: nine tenths of the wait are in the slots.
  const running: (() => void)[] = []
  const batcher = new Batcher<number, number>({
    run: ([item]) => new Promise((resolve) => running.push(() => resolve([item]))),
    maxBatchSize: 1,
    maxDelayMs: 0,
    concurrency: 10,
    maxQueueSize: 100,
    maxWaitMs: { interactive: BOUND_MS, bulk: BOUND_MS }
  })
  let refused = 0
  const add = (item: number) => void batcher.add(item).catch(() => refused++)
  for (let item = 0; item < 12; item++) add(item)
  await turn()
  for (let item = 0; item < 5; item++) {
    clock.now += 100
    running.shift()!()
    for (let i = 0; i < 3; i++) await turn()
    add(item)
    await turn()
  }
  t.ok(batcher.expectedWaitMs('interactive') < BOUND_MS / 2, 'little waits for a slot')
  t.ok(refused > 0, 'but the answer would come after the bound')
  while (running.length > 0) {
    running.shift()!()
    for (let i = 0; i < 3; i++) await turn()
  }
})

t.test(
  'what has a slot and waits in a further queue is rejected at the bound, unless it has begun there',
  async (t) => {
    mock.timers.enable({ apis: ['setTimeout'] })
    t.teardown(() => mock.timers.reset())
    const slots = new Map<string, { onBegun: () => void; resolve: (results: string[]) => void }>()
    const dropped: string[] = []
    const batcher = new Batcher<string, string>({
      tellsBegun: true,
      run: ([item], { onBegun, signal }) =>
        new Promise((resolve, reject) => {
          signal.addEventListener('abort', () => (dropped.push(item), reject(signal.reason)))
          slots.set(item, { onBegun, resolve })
        }),
      maxBatchSize: 1,
      maxDelayMs: 0,
      concurrency: 2,
      maxQueueSize: 100,
      maxWaitMs: { interactive: BOUND_MS, bulk: 0 }
    })
    const outcome = (item: string) => batcher.add(item).catch(({ code }) => code)
    const [begun, waiting] = [outcome('begun'), outcome('waiting')]
    await turn()
    slots.get('begun')!.onBegun()
    mock.timers.tick(BOUND_MS + 1)
    t.equal(await waiting, 'QUEUE_FULL')
    t.same(dropped, ['waiting'], 'its work is dropped')
    slots.get('begun')!.resolve(['begun'])
    t.equal(await begun, 'begun')
  }
)

t.test('queues that a call goes through have one bound, and take older calls first', async (t) => {
  const clock = ownClock(t)
  const queue = () => {
    const ran: string[] = []
    const release: (() => void)[] = []
    const batcher = new Batcher<string, string>({
      run: ([item]) => {
        ran.push(item)
        return new Promise((resolve) => release.push(() => resolve([item])))
      },
      maxBatchSize: 1,
      maxDelayMs: 0,
      concurrency: 1,
      maxQueueSize: 100,
      maxWaitMs: { interactive: BOUND_MS, bulk: BOUND_MS }
    })
    const next = async () => {
      release.shift()!()
      await turn()
      await turn()
    }
    return { batcher, ran, next }
  }
  const [first, second] = [queue(), queue()]
  const pass = async (ms: number) => {
    clock.now += ms
    mock.timers.tick(ms)
    await turn()
  }
  const through = async (item: string) => {
    const queued = {}
    await first.batcher.add(item, { queued })
    return second.batcher.add(item, { queued })
  }
  const blocker = second.batcher.add('blocker')
  const old = through('old')
  const late = through('late').catch(({ code }) => code)
  await turn()
  await pass(600)
  await first.next()
  const young = second.batcher.add('young')
  await turn()
  await pass(100)
  await first.next()
  await second.next()
  t.same(second.ran, ['blocker', 'old'], 'it came to this queue first, too')
  await pass(60)
  t.equal(await late, 'QUEUE_FULL', 'it waited 700 ms before, and 60 here')
  await second.next()
  t.same(second.ran, ['blocker', 'old', 'young'], 'who came here alone has the whole bound')
  await second.next()
  t.same(await Promise.all([blocker, old, young]), ['blocker', 'old', 'young'])
})

t.test('a call that came earlier elsewhere goes before those that wait already', async (t) => {
  const ran: string[] = []
  const batcher = new Batcher<string, string>({
    run: async (items) => (ran.push(...items), items),
    maxBatchSize: 1,
    maxDelayMs: 0,
    concurrency: 1,
    maxQueueSize: 100
  })
  const since = performance.now()
  await Promise.all([
    batcher.add('first'),
    batcher.add('second'),
    batcher.add('oldest', { queued: { since: since - 1000 } }),
    batcher.add('older', { queued: { since: since - 500 } })
  ])
  t.same(ran, ['oldest', 'older', 'first', 'second'])
})
