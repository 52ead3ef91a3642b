import t from 'tap'
import { Places } from '../../../src/threading/semaphore.js'

t.test('who waits for a place gets it in turn, and who leaves gives it on', async (t) => {
  const places = new Places(1)
  const leave = places.take()
  t.throws(() => places.take(), { code: 'QUEUE_FULL' })
  const order: string[] = []
  const gone = new AbortController()
  const first = places.next(gone.signal).catch((error: Error) => order.push(error.message))
  const second = places.next(new AbortController().signal).then((leave) => (order.push('second'), leave))
  gone.abort(new Error('gone'))
  await first
  leave()
  leave()
  const leaveSecond = await second
  t.strictSame(order, ['gone', 'second'])
  t.throws(() => places.take(), { code: 'QUEUE_FULL' })
  leaveSecond()
  places.take()()
})
