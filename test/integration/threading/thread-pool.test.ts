import { setTimeout as sleep } from 'node:timers/promises'
import { writeFile, rm } from 'node:fs/promises'
import t from 'tap'
import { CircuitBreaker } from '../../../src/threading/circuit-breaker.js'
import { startThreadPool, type ThreadPoolOptions } from '../../../src/threading/thread-pool.js'

type Fragile = typeof import('../../fixtures/fragile-worker.js')
const file = new URL('../../fixtures/fragile-worker.js', import.meta.url)
const start = (options: Partial<ThreadPoolOptions> = {}) =>
  startThreadPool<Fragile>(file, { name: 'fragile', count: 1, workerData: 'fine', ...options })

t.test('errors cross threads with their code and status; faults lose their message', async (t) => {
  const threads = await start()
  t.teardown(() => threads.close())
  await t.rejects(threads.call('refuse', 'mend this'), {
    code: 'RECORD_INVALID',
    statusCode: 422,
    message: 'mend this'
  })
  const fault = await threads.call('fail', undefined).then(
    () => undefined,
    (error) => error
  )
  t.match(fault, { code: 'INTERNAL', statusCode: 500 })
  t.notMatch(fault.message, 'a fault of ours')
  t.match(fault.cause, /a fault of ours/, 'the log gets the stack')
})

t.test('a thread that cannot start rejects the start', async (t) => {
  await t.rejects(start({ workerData: 'broken' }), /broken from the start/)
})

t.test('a thread that dies rejects what it held and is replaced', async (t) => {
  const deaths: Error[] = []
  const threads = await start({ callsPerThread: 10, onDeath: (error) => deaths.push(error) })
  t.teardown(() => threads.close())
  const before = await threads.call('thread', undefined)
  const held = threads.call('slow', 10_000)
  const killer = threads.call('die', undefined as never)
  await t.rejects(held, { code: 'WORKER_DIED', statusCode: 503 })
  await t.rejects(killer, { code: 'WORKER_DIED' })
  const after = await threads.call('thread', undefined)
  t.not(after, before, 'another thread answers')
  t.ok(deaths.length > 0)
})

t.test('reports reach the listener, and calls spread over all threads', async (t) => {
  const reports: unknown[] = []
  const threads = await start({ count: 2, onReport: (report) => reports.push(report) })
  t.teardown(() => threads.close())
  await threads.call('report', 'half way')
  await sleep(20)
  t.same(reports, ['half way'])
  const together = await Promise.all([threads.call('slow', 300), threads.call('thread', undefined)])
  t.equal(typeof together[1], 'number', 'one thread answers while the other is busy')
  const ids = await Promise.all(Array.from({ length: 8 }, () => threads.call('thread', undefined)))
  t.equal(ids.filter((id) => id === ids[0]).length, 4, 'calls that come at once are shared out')
})

/** A circuit without long pauses: half of the shortest is by chance. */
const hasty = () => new CircuitBreaker({ random: () => 0 })

/** Waits until something holds, half a minute at most. */
async function until(holds: () => boolean): Promise<void> {
  for (let waited = 0; !holds() && waited < 30_000; waited += 10) await sleep(10)
}

t.test('a thread that dies between calls is replaced too', async (t) => {
  const deaths: Error[] = []
  const threads = await start({ onDeath: (error) => deaths.push(error) })
  t.teardown(() => threads.close())
  const before = await threads.call('thread', undefined)
  await threads.call('dieLater', undefined)
  await until(() => deaths.length > 0)
  t.not(await threads.call('thread', undefined), before)
  t.equal(deaths.length, 1)
  t.match(threads.state, { name: 'fragile', threads: 1, alive: 1, circuit: 'closed' })
})

t.test('an argument that cannot be cloned fails, and no thread with it', async (t) => {
  const threads = await start()
  t.teardown(() => threads.close())
  const before = await threads.call('thread', undefined)
  await t.rejects(threads.call('refuse', (() => undefined) as never), { name: 'DataCloneError' })
  t.equal(await threads.call('thread', undefined), before)
})

t.test(
  'deaths without end open the circuit: calls are rejected at once, with when to try again',
  async (t) => {
    const deaths: Error[] = []
    const threads = await start({ circuit: hasty(), onDeath: (error) => deaths.push(error) })
    t.teardown(() => threads.close())
    for (let i = 0; i < 5; i++)
      await t.rejects(threads.call('die', undefined as never), { code: 'WORKER_DIED' })
    await until(() => threads.state.circuit === 'open')
    await t.rejects(threads.call('thread', undefined), {
      code: 'WORKERS_DOWN',
      statusCode: 503,
      retryAfterMs: Number
    })
    t.match(threads.state, { alive: 0, circuit: 'open', failedStarts: 0 })
    await until(() => threads.state.circuit === 'half_open')
    t.equal(threads.state.alive, 1)
    await until(() => deaths.length >= 5)
    t.equal(deaths.length, 5, 'each death was told once')
    await t.rejects(threads.call('die', undefined as never), { code: 'WORKER_DIED' })
    await until(() => threads.state.circuit === 'open')
    await until(() => threads.state.circuit === 'half_open')
    t.type(await threads.call('thread', undefined), 'number')
    t.equal(threads.state.circuit, 'closed')
  }
)

t.test(
  'threads that cannot be started again neither spin nor end the process, and are there when they can',
  async (t) => {
    const brokenBy = `${t.testdir()}/broken`
    const failures: Error[] = []
    const threads = await start({
      workerData: { brokenBy },
      count: 2,
      circuit: hasty(),
      onDeath: (error) => failures.push(error)
    })
    t.teardown(() => threads.close())
    await writeFile(brokenBy, '')
    const waits = threads.call('slow', 200)
    await t.rejects(threads.call('die', undefined as never), { code: 'WORKER_DIED' })
    t.equal(await waits, undefined, 'the other thread does what it has')
    await until(() => threads.state.failedStarts === 2)
    t.match(threads.state, { alive: 1, circuit: 'open', failedStarts: 2 })
    await until(() => failures.length >= 3)
    t.equal(failures.length, 3, 'one death, two starts that failed')
    t.match(failures[2], /broken from the start/)
    await t.rejects(threads.call('thread', undefined), { code: 'WORKERS_DOWN' })
    await rm(brokenBy)
    await until(() => threads.state.circuit === 'half_open')
    t.type(await threads.call('thread', undefined), 'number')
    t.match(threads.state, { alive: 2, circuit: 'closed', failedStarts: 0 })
  }
)

t.test('a pool that is closed while it waits for a restart starts nothing more', async (t) => {
  const threads = await start({ circuit: hasty() })
  for (let i = 0; i < 5; i++) await threads.call('die', undefined as never).catch(() => undefined)
  await until(() => threads.state.circuit === 'open')
  await threads.close()
  await sleep(700)
  t.match(threads.state, { alive: 0, circuit: 'open' })
  await t.rejects(threads.call('thread', undefined), { code: 'WORKERS_DOWN' })
})
