import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Batcher, type BatcherOptions } from '../src/batcher.js'

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
  t.same(batches, [['a', 'c'], ['bb', 'dd']])
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
  const batcher = new Batcher({ run, maxBatchSize: 4, maxDelayMs: 0, concurrency: 1, maxQueueSize: 9, retryAlone: () => true })
  const results = await Promise.allSettled(['a', 'poison', 'b'].map((item) => batcher.add(item)))
  t.same(results.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled'])
})

t.test('a batch that is not worth retrying rejects each of its entries, and the next one runs', async (t) => {
  let calls = 0
  const run = async (items: string[]) => {
    if (calls++ === 0) throw new Error('worker died')
    return items
  }
  const batcher = new Batcher({ run, maxBatchSize: 4, maxDelayMs: 0, concurrency: 1, maxQueueSize: 9, retryAlone: () => false })
  const results = await Promise.allSettled(['a', 'b'].map((item) => batcher.add(item)))
  t.same(results.map(({ status }) => status), ['rejected', 'rejected'])
  t.equal(await batcher.add('c'), 'c')
})

t.test('a run that loses results rejects rather than mixing them up', async (t) => {
  const batcher = new Batcher<string, string>({ run: async () => ['one'], maxBatchSize: 4, maxDelayMs: 0, concurrency: 1, maxQueueSize: 9 })
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

t.test('abuse: thousands of entries from many callers, aborts and failures among them, all settle', async (t) => {
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
    outcomes.push(promise.then((result) => (result === i * 2 ? 'right' : 'wrong'), (error) => (error as Error).message))
    if (i % 200 === 0) await sleep(1)
  }
  const settled = await Promise.all(outcomes)
  const count = (outcome: string) => settled.filter((other) => other === outcome).length
  t.equal(count('wrong'), 0, 'no entry got the result of another')
  t.ok(count('right') > 4800)
  t.ok(count('poisoned') >= 45 && count('poisoned') <= Math.floor(5000 / 97))
  t.ok(largest <= 16 && mostAtOnce <= 3)
  t.equal(batcher.queued + batcher.running, 0)
})
