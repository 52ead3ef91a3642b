import t from 'tap'
import { retrying } from '../../../src/hub/retry.js'
import { TransientError } from '../../../src/hub/transient-error.js'
import { waitAsked } from '../../../src/hub/status-error.js'

const policy = (onRetry: (reason: string, delayMs: number) => void = () => {}) => ({
  what: 'a file',
  tries: 3,
  baseMs: 1,
  signal: new AbortController().signal,
  onRetry
})

t.test('tries that bring nothing are bounded, and waited for longer each time', async (t) => {
  const delays: number[] = []
  let calls = 0
  const attempt = async () => {
    calls++
    throw new TransientError('broke')
  }
  await t.rejects(retrying(attempt, { ...policy((_, delay) => delays.push(delay)), tries: 4, baseMs: 8 }), {
    message: 'a file: broke; all 4 attempts failed. Run the same command again to continue.'
  })
  t.equal(calls, 4)
  t.equal(delays.length, 3)
  for (const [index, delay] of delays.entries())
    t.ok(delay >= 6 * 2 ** index && delay <= 10 * 2 ** index, `${delay}`)
})

t.test('another error ends it at once', async (t) => {
  let calls = 0
  await t.rejects(
    retrying(async () => {
      calls++
      throw new Error('no')
    }, policy()),
    { message: 'no' }
  )
  t.equal(calls, 1)
})

t.test('tries that bring a mebibyte of what was never there are not counted, others are', async (t) => {
  let calls = 0
  let most = 0
  const attempt = async () => {
    calls++
    if (calls <= 10) most += 2 ** 20
    throw new TransientError('broke')
  }
  await t.rejects(retrying(attempt, { ...policy(), progress: () => most }))
  t.equal(calls, 12, 'ten that help, of which the last is the first of three that are counted')
})

t.test('the wait the hub asks for is kept, and one too long ends it', async (t) => {
  const delays: number[] = []
  let calls = 0
  const attempt = async () => {
    if (++calls === 1) throw new TransientError('429', { retryAfterMs: 70 })
    return calls
  }
  t.equal(
    await retrying(
      attempt,
      policy((_, delay) => delays.push(delay))
    ),
    2
  )
  t.same(delays, [70])
  await t.rejects(
    retrying(async () => {
      throw new TransientError('429', { retryAfterMs: 3_600_000 })
    }, policy()),
    { message: 'a file: 429. The hub asks to wait 3600 s: run the same command again then to continue.' }
  )
})

t.test('an abort ends the wait', async (t) => {
  const controller = new AbortController()
  const running = retrying(
    async () => {
      throw new TransientError('broke')
    },
    { ...policy(() => controller.abort()), baseMs: 60_000, signal: controller.signal }
  )
  await t.rejects(running, { name: 'AbortError' })
})

t.test('Retry-After in seconds or as a date, and the RateLimit of the hub', async (t) => {
  t.equal(waitAsked({ 'retry-after': '7' }), 7000)
  const inTenSeconds = waitAsked({ 'retry-after': new Date(Date.now() + 10_000).toUTCString() })!
  t.ok(inTenSeconds > 8000 && inTenSeconds <= 10_000, `${inTenSeconds}`)
  t.equal(waitAsked({ ratelimit: '"resolvers";r=0;t=55' }), 55_000)
  t.equal(waitAsked({}), undefined)
})
