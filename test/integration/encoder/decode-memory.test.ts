import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { createDecodeMemory, freeAll, withMemory } from '../../../src/encoder/decode-memory.js'
import { startThreadPool } from '../../../src/threading/thread-pool.js'

const MIB = 2 ** 20
type Worker = typeof import('../../fixtures/memory-worker.js')

t.test('threads wait for memory that others hold, and one that died gives it back', async (t) => {
  const memory = createDecodeMemory(100 * MIB)
  const inUse = new Int32Array(new SharedArrayBuffer(4))
  const threads = await startThreadPool<Worker>(new URL('../../fixtures/memory-worker.js', import.meta.url), {
    name: 'decoders',
    count: 4,
    workerData: { memory, inUse },
    onDeath: () => freeAll(memory)
  })
  t.teardown(() => threads.close())
  const holders = await Promise.all(Array.from({ length: 12 }, () => threads.call('hold', 40 * MIB)))
  t.equal(Math.max(...holders), 2, 'two of forty fit into a hundred')
  t.ok(
    Math.max(...(await Promise.all(Array.from({ length: 12 }, () => threads.call('hold', MIB))))) > 2,
    'what is small is not counted'
  )
  t.equal(
    Math.max(...(await Promise.all([400, 400, 60].map((mib) => threads.call('hold', mib * MIB))))),
    1,
    'what is more than there is waits until all is free'
  )
  await t.rejects(threads.call('die', 100 * MIB), { code: 'WORKER_DIED' })
  t.equal(await threads.call('hold', 100 * MIB), 1)
  t.equal(memory[0], memory[1])
})

t.test('memory is freed after a failure, and never beyond the whole', async (t) => {
  const memory = createDecodeMemory(100 * MIB)
  await t.rejects(
    withMemory(memory, async (reserve) => {
      reserve(60 * MIB)
      t.equal(memory[0], memory[1] * 0.4)
      throw new Error('not decoded')
    }),
    { message: 'not decoded' }
  )
  t.equal(memory[0], memory[1])
  await withMemory(memory, async (reserve) => {
    reserve(60 * MIB)
    freeAll(memory)
  })
  t.equal(memory[0], memory[1])
})

t.test('a large picture is overtaken by some smaller ones at most, and then has its turn', async (t) => {
  const memory = createDecodeMemory(100 * MIB)
  const inUse = new Int32Array(new SharedArrayBuffer(4))
  const threads = await startThreadPool<Worker>(new URL('../../fixtures/memory-worker.js', import.meta.url), {
    name: 'decoders',
    count: 4,
    workerData: { memory, inUse },
    onDeath: () => freeAll(memory)
  })
  t.teardown(() => threads.close())
  const ended: number[] = []
  const hold = async (mib: number) => {
    await threads.call('hold', mib * MIB)
    ended.push(mib)
  }
  // At different moments, so that they never end together.
  const small = [hold(30)]
  await sleep(7)
  small.push(hold(30))
  await sleep(7)
  small.push(hold(30))
  const large = hold(100)
  small.push(...Array.from({ length: 120 }, () => hold(30)))
  await Promise.all([large, ...small])
  const before = ended.indexOf(100)
  t.ok(before <= 16 + 8, `${before} before it`)
  t.same([...memory.subarray(0, 2), memory[3]], [memory[1], memory[1], 0])
  // One that dies while it has the turn leaves it to others.
  memory[3] = 99
  const waiting = hold(30)
  await sleep(30)
  t.equal(ended.length, 124, 'all wait for the first')
  freeAll(memory)
  await waiting
})
