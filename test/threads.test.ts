import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { startThreads, type ThreadsOptions } from '../src/threads.js'

type Fragile = typeof import('./fixtures/fragile-worker.js')
const file = new URL('./fixtures/fragile-worker.js', import.meta.url)
const start = (options: Partial<ThreadsOptions> = {}) => startThreads<Fragile>(file, { count: 1, workerData: 'fine', ...options })

t.test('errors cross threads with their code and status; faults lose their message', async (t) => {
  const threads = await start()
  t.teardown(() => threads.close())
  await t.rejects(threads.call('refuse', 'mend this'), { code: 'RECORD_INVALID', statusCode: 422, message: 'mend this' })
  const fault = await threads.call('fail', undefined).then(() => undefined, (error) => error)
  t.match(fault, { code: 'INTERNAL', statusCode: 500 })
  t.notMatch(fault.message, 'a fault of ours')
  t.match(fault.cause, /a fault of ours/, 'the log gets the stack')
})

t.test('a thread that can not start rejects the start', async (t) => {
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
})
