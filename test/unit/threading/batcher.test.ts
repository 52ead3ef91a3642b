import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Batcher, type BatcherOptions } from '../../../src/threading/batcher.js'

/** A batcher over a run that is recorded, and held back until released. */
function held(options: Partial<BatcherOptions<string, string>> = {}) {
  const batches: string[][] = []
  const gates: (() => void)[] = []
  const batcher = new Batcher<string, string>({
    run: async (items) => {
      batches.push(items)
      await new Promise<void>((resolve) => gates.push(resolve))
      return items.map((item) => item.toUpperCase())
    },
    maxBatchSize: 4,
    maxDelayMs: 0,
    concurrency: 1,
    maxQueueSize: 100,
    ...options
  })
  const releaseAll = async () => {
    while (batcher.running > 0 || batcher.queued > 0) {
      gates.shift()?.()
      await sleep(1)
    }
  }
  return { batcher, batches, releaseAll }
}

t.test('what is added in one turn shares a batch, results go to their items', async (t) => {
  const { batcher, batches, releaseAll } = held()
  const results = Promise.all(['a', 'b', 'c'].map((item) => batcher.add(item)))
  await sleep(5)
  await releaseAll()
  t.same(await results, ['A', 'B', 'C'])
  t.same(batches, [['a', 'b', 'c']])
})

t.test('a full batch goes at once, a partial one after the delay', async (t) => {
  const { batcher, batches, releaseAll } = held({ maxDelayMs: 60, maxBatchSize: 2, concurrency: 2 })
  const results = [batcher.add('a'), batcher.add('b'), batcher.add('c')]
  await sleep(20)
  t.same(batches, [['a', 'b']], 'the full one runs, the other waits')
  await sleep(80)
  t.same(batches, [['a', 'b'], ['c']])
  await releaseAll()
  await Promise.all(results)
})

t.test('an entry that fills a delayed batch sends it off', async (t) => {
  const { batcher, batches, releaseAll } = held({ maxDelayMs: 5000, maxBatchSize: 2 })
  const first = batcher.add('a')
  await sleep(10)
  const second = batcher.add('b')
  await sleep(10)
  t.same(batches, [['a', 'b']])
  await releaseAll()
  await Promise.all([first, second])
})

t.test('interactive entries overtake bulk ones, which still get a turn', async (t) => {
  const { batcher, batches, releaseAll } = held({ maxBatchSize: 1 })
  const first = batcher.add('running', { lane: 'bulk' })
  await sleep(5)
  const bulk = batcher.addAll(['bulk1', 'bulk2'], { lane: 'bulk' })
  const interactive = batcher.addAll(Array.from({ length: 10 }, (_, i) => `i${i}`))
  await releaseAll()
  await Promise.all([first, ...bulk, ...interactive])
  const order = batches.flat()
  t.equal(order[1], 'i0', 'interactive goes first')
  t.equal(order[9], 'bulk1', 'after eight in a row a bulk entry goes')
  t.equal(order.at(-1), 'bulk2')
})

t.test('only items that fit the oldest share its batch', async (t) => {
  const { batcher, batches, releaseAll } = held({ fits: (item, oldest) => item.length === oldest.length })
  const results = batcher.addAll(['a', 'bb', 'c', 'dd'])
  await sleep(5)
  await releaseAll()
  await Promise.all(results)
  t.same(batches, [
    ['a', 'c'],
    ['bb', 'dd']
  ])
})

t.test('equal keys are run once, for all who wait', async (t) => {
  const { batcher, batches, releaseAll } = held({ key: (item) => item })
  const [first, second, other] = [new AbortController(), new AbortController(), new AbortController()]
  const waiting = Promise.allSettled([
    batcher.add('a', { signal: first.signal }),
    batcher.add('a', { lane: 'bulk', signal: second.signal }),
    batcher.add('b', { signal: other.signal })
  ])
  await sleep(5)
  const late = batcher.add('a')
  first.abort(new Error('gone'))
  other.abort(new Error('gone too'))
  await releaseAll()
  const [one, two, three] = await waiting
  t.match(one, { status: 'rejected', reason: { message: 'gone' } })
  t.match(two, { status: 'fulfilled', value: 'A' })
  t.match(three, { status: 'rejected', reason: { message: 'gone too' } })
  t.equal(await late, 'A', 'also for one who came while it ran')
  t.same(batches, [['a', 'b']])
  const again = batcher.add('a')
  await sleep(5)
  await releaseAll()
  t.equal(await again, 'A')
  t.same(batches.at(-1), ['a'], 'what has ended is run anew')
})

t.test('who waits for an entry of the bulk lane takes it along', async (t) => {
  const { batcher, batches, releaseAll } = held({ maxBatchSize: 1, key: (item) => item })
  const all = [batcher.add('running')]
  await sleep(5)
  all.push(...batcher.addAll(['bulk1', 'bulk2', 'bulk3'], { lane: 'bulk' }), batcher.add('bulk3'))
  await releaseAll()
  t.same(await Promise.all(all), ['RUNNING', 'BULK1', 'BULK2', 'BULK3', 'BULK3'])
  t.same(batches.flat(), ['running', 'bulk3', 'bulk1', 'bulk2'])
})

t.test('an entry that no one waits for any more is not joined, and its run is told', async (t) => {
  const signals: AbortSignal[] = []
  const { batcher, releaseAll } = held({ key: (item) => item })
  const told = new Batcher<string, string>({
    run: (items, { signal }) => (signals.push(signal), Promise.all(batcher.addAll(items, { signal }))),
    maxBatchSize: 1,
    maxDelayMs: 0,
    concurrency: 2,
    maxQueueSize: 10,
    key: (item) => item
  })
  const controller = new AbortController()
  const abandoned = told.add('a', { signal: controller.signal })
  await sleep(5)
  controller.abort(new Error('gone'))
  const fresh = told.add('a')
  await t.rejects(abandoned, /gone/)
  t.equal(signals[0].aborted, true)
  await sleep(5)
  t.equal(signals[1].aborted, false, 'the next one is run by itself')
  await releaseAll()
  t.equal(await fresh, 'A')
})

t.test('the express place takes what comes alone, and what meets bulk', async (t) => {
  const places: string[] = []
  const gates: (() => void)[] = []
  const batcher = new Batcher<string, string>({
    run: async (items, { express, lane }) => {
      places.push(`${items.join('+')} ${express ? 'express' : lane}`)
      await new Promise<void>((resolve) => gates.push(resolve))
      return items
    },
    maxBatchSize: 4,
    maxDelayMs: 0,
    concurrency: 2,
    maxQueueSize: 100,
    express: true
  })
  const all: Promise<string>[] = []
  const add = async (...args: Parameters<typeof batcher.addAll>) => (
    all.push(...batcher.addAll(...args)),
    sleep(5)
  )
  await add(['alone'])
  await add(['second'])
  await add(['third'])
  t.same(places.splice(0), ['alone express', 'second interactive', 'third interactive'])
  await add(['fourth'])
  t.same(places, [], 'a load of its own lane waits for the others')
  for (const open of gates.splice(0)) open()
  await sleep(5)
  for (const open of gates.splice(0)) open()
  await sleep(5)
  places.splice(0)
  await add(
    Array.from({ length: 8 }, (_, i) => `b${i}`),
    { lane: 'bulk' }
  )
  await add(['query'])
  t.same(places, ['b0+b1+b2+b3 bulk', 'b4+b5+b6+b7 bulk', 'query express'])
  for (const open of gates.splice(0)) open()
  t.equal((await Promise.all(all)).length, 13)
})

t.test('what waits is shared out between free places', async (t) => {
  const { batcher, batches, releaseAll } = held({ concurrency: 2, maxBatchSize: 8 })
  const results = batcher.addAll(['a', 'b', 'c', 'd', 'e'])
  await sleep(5)
  t.same(batches, [
    ['a', 'b', 'c'],
    ['d', 'e']
  ])
  await releaseAll()
  await Promise.all(results)
})

t.test('callers of the last batch are waited for while they come, and not for long', async (t) => {
  const batches: string[][] = []
  const batcher = new Batcher<string, string>({
    run: async (items) => {
      batches.push(items)
      await sleep(300)
      return items
    },
    maxBatchSize: 8,
    maxDelayMs: 0,
    concurrency: 1,
    maxQueueSize: 100
  })
  await Promise.all(batcher.addAll(['a', 'b', 'c']))
  const next = [batcher.add('d'), sleep(5).then(() => batcher.add('e'))]
  await Promise.all(next)
  t.same(
    batches,
    [
      ['a', 'b', 'c'],
      ['d', 'e']
    ],
    'the second is waited for'
  )
  await sleep(100)
  const alone = batcher.add('f')
  await sleep(5)
  t.same(batches.at(-1), ['f'], 'after a pause nobody is')
  await alone
})

t.test('a full queue rejects at once, and a request is admitted as a whole', async (t) => {
  const { batcher, releaseAll } = held({ maxQueueSize: 3, maxBatchSize: 1 })
  const running = batcher.add('running')
  await sleep(5)
  const admitted = batcher.addAll(['1', '2', '3', '4', '5'])
  t.equal(batcher.queued, 5, 'one request may overshoot the bound')
  await t.rejects(batcher.add('late'), { code: 'QUEUE_FULL', statusCode: 429 })
  const refused = await Promise.allSettled(batcher.addAll(['x', 'y']))
  t.ok(refused.every(({ status }) => status === 'rejected'))
  await releaseAll()
  t.same(await Promise.all([running, ...admitted]), ['RUNNING', '1', '2', '3', '4', '5'])
  const after = batcher.add('again')
  await sleep(5)
  await releaseAll()
  t.equal(await after, 'AGAIN', 'it takes entries again')
})

t.test('aborted entries are dropped unrun', async (t) => {
  const { batcher, batches, releaseAll } = held({ maxBatchSize: 1 })
  const running = batcher.add('running')
  await sleep(5)
  const controller = new AbortController()
  const dropped = batcher.add('dropped', { signal: controller.signal })
  const kept = batcher.add('kept')
  const reason = new Error('gone')
  controller.abort(reason)
  await t.rejects(dropped, reason)
  await t.rejects(batcher.add('too late', { signal: controller.signal }), reason)
  await releaseAll()
  await Promise.all([running, kept])
  t.same(batches.flat(), ['running', 'kept'])
})

t.test('a poisoned item fails alone', async (t) => {
  const run = async (items: string[]) => {
    if (items.includes('poison')) throw new Error('poisoned')
    return items
  }
  const batcher = new Batcher({
    run,
    maxBatchSize: 4,
    maxDelayMs: 0,
    concurrency: 1,
    maxQueueSize: 9,
    retryAlone: () => true
  })
  const results = await Promise.allSettled(['a', 'poison', 'b'].map((item) => batcher.add(item)))
  t.same(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled']
  )
})

t.test('a batch that is not worth retrying rejects each of its entries, and the next one runs', async (t) => {
  let calls = 0
  const run = async (items: string[]) => {
    if (calls++ === 0) throw new Error('worker died')
    return items
  }
  const batcher = new Batcher({
    run,
    maxBatchSize: 4,
    maxDelayMs: 0,
    concurrency: 1,
    maxQueueSize: 9,
    retryAlone: () => false
  })
  const results = await Promise.allSettled(['a', 'b'].map((item) => batcher.add(item)))
  t.same(
    results.map(({ status }) => status),
    ['rejected', 'rejected']
  )
  t.equal(await batcher.add('c'), 'c')
})

t.test('a run that loses results rejects rather than mixing them up', async (t) => {
  const batcher = new Batcher<string, string>({
    run: async () => ['one'],
    maxBatchSize: 4,
    maxDelayMs: 0,
    concurrency: 1,
    maxQueueSize: 9
  })
  const results = await Promise.allSettled(batcher.addAll(['a', 'b']))
  t.ok(results.every(({ status }) => status === 'rejected'))
})

t.test('close refuses new entries and runs those that wait', async (t) => {
  const { batcher, releaseAll } = held({ maxBatchSize: 1, maxDelayMs: 1000 })
  const results = batcher.addAll(['a', 'b', 'c'])
  const closed = batcher.close()
  await t.rejects(batcher.add('d'), { code: 'CLOSED', statusCode: 503 })
  await releaseAll()
  await closed
  t.same(await Promise.all(results), ['A', 'B', 'C'])
  await batcher.close()
})

t.test(
  'abuse: thousands of entries from many callers, aborts and failures among them, all settle',
  async (t) => {
    let seed = 1
    const random = () => (seed = (seed * 1103515245 + 12345) % 2 ** 31) / 2 ** 31
    let largest = 0
    let atOnce = 0
    let mostAtOnce = 0
    const batcher = new Batcher<number, number>({
      run: async (items) => {
        largest = Math.max(largest, items.length)
        mostAtOnce = Math.max(mostAtOnce, ++atOnce)
        if (random() < 0.3) await sleep(random() * 2)
        atOnce--
        if (items.some((item) => item % 97 === 0)) throw new Error('poisoned')
        return items.map((item) => item * 2)
      },
      maxBatchSize: 16,
      maxDelayMs: 1,
      concurrency: 3,
      maxQueueSize: 1e6,
      fits: (item, oldest) => item % 3 === oldest % 3,
      retryAlone: () => true
    })
    const outcomes: Promise<string>[] = []
    for (let i = 1; i <= 5000; i++) {
      const controller = new AbortController()
      const promise = batcher.add(i, { lane: i % 2 ? 'bulk' : 'interactive', signal: controller.signal })
      if (i % 50 === 1) setTimeout(() => controller.abort(new Error('gone')), random() * 20)
      outcomes.push(
        promise.then(
          (result) => (result === i * 2 ? 'right' : 'wrong'),
          (error) => (error as Error).message
        )
      )
      if (i % 200 === 0) await sleep(1)
    }
    const settled = await Promise.all(outcomes)
    const count = (outcome: string) => settled.filter((other) => other === outcome).length
    t.equal(count('wrong'), 0, 'no entry got the result of another')
    t.ok(count('right') > 4800)
    t.ok(count('poisoned') >= 45 && count('poisoned') <= Math.floor(5000 / 97))
    t.ok(largest <= 16 && mostAtOnce <= 3)
    t.equal(batcher.queued + batcher.running, 0)
  }
)

t.test('each lane has its bound: a full one does not keep the other out', async (t) => {
  const { batcher, releaseAll } = held({ maxQueueSize: 2, maxBatchSize: 1 })
  const all = [batcher.add('running')]
  await sleep(5)
  all.push(...batcher.addAll(['b1', 'b2'], { lane: 'bulk' }))
  await t.rejects(batcher.add('b3', { lane: 'bulk' }), { code: 'QUEUE_FULL' })
  all.push(batcher.add('someone waits'))
  await releaseAll()
  t.equal((await Promise.all(all)).length, 4)
})

/** A batcher of one item a run, each of which takes a while. */
function slow(ms: number, options: Partial<BatcherOptions<string, string>> = {}) {
  const run = async (items: string[]) => (await sleep(ms), items)
  return new Batcher<string, string>({
    run,
    maxBatchSize: 1,
    maxDelayMs: 0,
    concurrency: 1,
    maxQueueSize: 1000,
    ...options
  })
}

const items = (count: number) => Array.from({ length: count }, (_, i) => `item ${i}`)

t.test('who would wait too long is turned away, and told for how long', async (t) => {
  const batcher = slow(30, { maxWaitMs: { interactive: 500, bulk: 0 } })
  const giant = batcher.addAll(items(60))
  t.equal(batcher.expectedWaitMs('interactive'), 0, 'nothing is known yet')
  const early = t.rejects(
    batcher.add('early'),
    { code: 'QUEUE_FULL' },
    'it was admitted, and is told when its bound is over'
  )
  await Promise.all(giant.slice(0, 15))
  t.ok(batcher.expectedWaitMs('interactive') > 500)
  const refusal = await batcher.add('late').then(
    () => undefined,
    (error) => error
  )
  t.match(refusal, { code: 'QUEUE_FULL', statusCode: 429 })
  t.ok(refusal.retryAfterMs > 500)
  t.equal(batcher.expectedWaitMs('bulk'), 0, 'the other lane has its own')
  const bulk = batcher.add('bulk', { lane: 'bulk' })
  await Promise.all([...giant, early, bulk])
  t.equal(batcher.expectedWaitMs('interactive'), 0, 'what waits is gone')
  t.equal(
    (await Promise.all(batcher.addAll(items(100).slice(0, 3)))).length,
    3,
    'one request is admitted however long it takes'
  )
})

t.test('a deadline that the queue cannot meet is rejected at once, and one that it can is not', async (t) => {
  const batcher = slow(30)
  const ahead = batcher.addAll(items(40))
  await Promise.all(ahead.slice(0, 15))
  const within = (ms: number) => ({ deadline: performance.now() + ms })
  await t.rejects(batcher.add('hasty', within(20)), { code: 'QUEUE_FULL' })
  t.equal(await batcher.add('patient', within(60_000)), 'patient')
  await Promise.all(ahead)
  t.equal(await batcher.add('hasty', within(1)), 'hasty', 'without a queue it is tried')
})

t.test(
  'callers that wait for capacity are admitted in order, and rejected when the batcher closes',
  async (t) => {
    const { batcher, batches, releaseAll } = held({ maxQueueSize: 1, maxBatchSize: 1 })
    const all = [batcher.add('running', { lane: 'bulk' })]
    await sleep(5)
    all.push(batcher.add('waiting', { lane: 'bulk' }))
    const controller = new AbortController()
    const loads = ['first', 'second', 'third'].map(
      async (item) => (await batcher.waitForCapacity('bulk'), batcher.add(item, { lane: 'bulk' }))
    )
    const gone = batcher.waitForCapacity('bulk', controller.signal)
    const late = ['fourth'].map(
      async (item) => (await batcher.waitForCapacity('bulk'), batcher.add(item, { lane: 'bulk' }))
    )
    controller.abort(new Error('gone'))
    await t.rejects(gone, /gone/)
    await t.rejects(batcher.waitForCapacity('bulk', controller.signal), /gone/)
    await releaseAll()
    await sleep(5)
    await releaseAll()
    for (let i = 0; i < 5; i++) await sleep(5).then(releaseAll)
    t.same(await Promise.all([...all, ...loads, ...late]), [
      'RUNNING',
      'WAITING',
      'FIRST',
      'SECOND',
      'THIRD',
      'FOURTH'
    ])
    t.same(batches.flat(), ['running', 'waiting', 'first', 'second', 'third', 'fourth'])
    const last = [batcher.add('a', { lane: 'bulk' })]
    await sleep(5)
    last.push(batcher.add('b', { lane: 'bulk' }))
    const turnedAway = t.rejects(batcher.waitForCapacity('bulk'), { code: 'CLOSED' })
    const closed = batcher.close()
    await turnedAway
    await t.rejects(batcher.waitForCapacity('bulk'), { code: 'CLOSED' })
    await releaseAll()
    await closed
    await Promise.all(last)
  }
)

t.test('equal items share a run among those who may know of each other', async (t) => {
  const { batcher, batches, releaseAll } = held({ key: (item) => item })
  const results = Promise.all(
    [undefined, undefined, 'one', 'one', 'two'].map((sharing) => batcher.add('a', { sharing }))
  )
  await sleep(5)
  await releaseAll()
  t.same(await results, ['A', 'A', 'A', 'A', 'A'])
  t.same(batches.flat(), ['a', 'a', 'a'])
})
