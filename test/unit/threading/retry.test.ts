import t from 'tap'
import {
  Closed,
  fromErrorShape,
  isTransient,
  QueueFull,
  StorageFull,
  toErrorShape,
  WorkerDied,
  WorkersDown
} from '../../../src/errors.js'
import { retry } from '../../../src/threading/retry.js'

/** Work that fails with these errors, one after the other, and then succeeds. */
function failing(...errors: Error[]) {
  const work = async () => {
    work.tries++
    const error = errors.shift()
    if (error) throw error
    return 'done'
  }
  work.tries = 0
  return work
}

t.test('work is done again after transient errors', async (t) => {
  const work = failing(new QueueFull(), new WorkerDied(), new WorkersDown('searcher'))
  t.equal(await retry(work, { delayMs: 1 }), 'done')
  t.equal(work.tries, 4)
})

t.test('other errors are thrown at once', async (t) => {
  for (const error of [new Error('A fault.'), new Closed(), new StorageFull()]) {
    const work = failing(error)
    await t.rejects(retry(work, { delayMs: 1 }), error)
    t.equal(work.tries, 1)
  }
})

t.test('it gives up after too many deaths, or too long', async (t) => {
  const deaths = failing(...Array.from({ length: 9 }, () => new WorkerDied()))
  await t.rejects(retry(deaths, { delayMs: 1 }), { code: 'WORKER_DIED' })
  t.equal(deaths.tries, 5)
  const always = (error: Error) => () => Promise.reject(error)
  await t.rejects(retry(always(new QueueFull()), { delayMs: 1, maxFullMs: 20 }), { code: 'QUEUE_FULL' })
  await t.rejects(retry(always(new WorkersDown('searcher')), { delayMs: 1, maxDownMs: 20 }), {
    code: 'WORKERS_DOWN'
  })
})

t.test('it waits without a bound while a queue is full, and not for workers that are down', async (t) => {
  const options = { delayMs: 1, maxFullMs: Infinity, maxDownMs: 0 }
  const work = failing(...Array.from({ length: 50 }, () => new QueueFull()))
  t.equal(await retry(work, options), 'done')
  const down = failing(new QueueFull(), new WorkersDown('towers'))
  await t.rejects(retry(down, options), { code: 'WORKERS_DOWN' })
})

t.test('an abort ends the tries with its reason', async (t) => {
  const controller = new AbortController()
  const work = () => {
    setImmediate(() => controller.abort(new Error('gone')))
    return Promise.reject(new QueueFull())
  }
  await t.rejects(retry(work, { signal: controller.signal, delayMs: 60_000 }), { message: 'gone' })
  const never = failing()
  await t.rejects(retry(never, { signal: controller.signal }), { message: 'gone' })
  t.equal(never.tries, 0)
})

t.test('an error stays transient when it crosses threads', async (t) => {
  const crossed = (error: Error) => fromErrorShape(structuredClone(toErrorShape(error)))
  for (const error of [new QueueFull(), new WorkerDied(), new WorkersDown('towers')])
    t.ok(isTransient(error) && isTransient(crossed(error)), error.code)
  for (const error of [new Closed(), new Error('A fault.')])
    t.notOk(isTransient(error) || isTransient(crossed(error)), error.message)
})
