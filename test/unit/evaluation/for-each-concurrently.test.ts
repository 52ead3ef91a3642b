import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { forEachConcurrently } from '../../../src/evaluation/embedding/for-each-concurrently.js'

t.test('calls run in order with bounded concurrency, and none begins after an error', async (t) => {
  let [running, most] = [0, 0]
  const begun: number[] = []
  const work = (failing: number) => async (item: number) => {
    begun.push(item)
    most = Math.max(most, ++running)
    await sleep(item % 3)
    running--
    if (item === failing) throw new Error(`item ${item}`)
  }
  await forEachConcurrently(
    Array.from({ length: 20 }, (_, i) => i),
    4,
    work(-1)
  )
  t.same(
    begun,
    Array.from({ length: 20 }, (_, i) => i)
  )
  t.equal(most, 4)
  begun.length = 0
  await t.rejects(
    forEachConcurrently(
      Array.from({ length: 20 }, (_, i) => i),
      4,
      work(6)
    ),
    /item 6/
  )
  t.equal(running, 0, 'nothing is under way any more')
  t.ok(begun.length < 12, `${begun.length} were begun`)
  await forEachConcurrently([], 4, () => Promise.reject(new Error('never')))
})
