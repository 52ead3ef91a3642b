import t from 'tap'
import { Semaphore } from '../../../src/threading/semaphore.js'

t.test('who waits for a place gets it in turn, and who leaves gives it on', async (t) => {
  const semaphore = new Semaphore(1)
  const release = semaphore.acquireNow()
  t.throws(() => semaphore.acquireNow(), { code: 'QUEUE_FULL' })
  const order: string[] = []
  const gone = new AbortController()
  const first = semaphore.acquire(gone.signal).catch((error: Error) => order.push(error.message))
  const second = semaphore
    .acquire(new AbortController().signal)
    .then((release) => (order.push('second'), release))
  gone.abort(new Error('gone'))
  await first
  release()
  release()
  const releaseSecond = await second
  t.strictSame(order, ['gone', 'second'])
  t.throws(() => semaphore.acquireNow(), { code: 'QUEUE_FULL' })
  releaseSecond()
  semaphore.acquireNow()()
})
