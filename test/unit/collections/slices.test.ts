import { setImmediate as nextTurn } from 'node:timers/promises'
import t from 'tap'
import { inSlices, stopFlag } from '../../../src/collections/slices.js'
import { createWaiting } from '../../../src/collections/waiting.js'

/** Work that takes some milliseconds, in small steps. */
function* work(ms: number, onStep = () => {}): Generator<void, string> {
  for (const until = performance.now() + ms; performance.now() < until;) {
    onStep()
    yield
  }
  return 'done'
}

t.test('others have their turns while long work is done', async (t) => {
  let turns = 0
  const others = (async () => {
    for (; turns < 5; turns++) await nextTurn()
  })()
  const untilOthersAreDone = (function* (): Generator<void, number> {
    for (const deadline = performance.now() + 20_000; turns < 5 && performance.now() < deadline;) yield
    return turns
  })()
  t.equal(await inSlices(untilOthersAreDone, stopFlag(new AbortController().signal)), 5)
  await others
})

t.test(
  'work that is told to stop ends before its end, and what was stopped before does little',
  async (t) => {
    const controller = new AbortController()
    let steps = 0
    const working = inSlices(
      work(60_000, () => steps++),
      stopFlag(controller.signal)
    )
    await nextTurn()
    controller.abort()
    t.equal(await working, undefined)
    t.ok(steps > 0)
    t.equal(await inSlices(work(60_000), stopFlag(AbortSignal.abort())), undefined)
  }
)

t.test('an error of the work reaches its caller', async (t) => {
  const failing = (function* (): Generator<void, void> {
    throw new Error('no')
  })()
  await t.rejects(inSlices(failing, stopFlag(new AbortController().signal)), { message: 'no' })
})

t.test('long reads run one at a time by lane, beside each other, and end with their callers', async (t) => {
  const waiting = createWaiting(undefined as never)
  const running: string[] = []
  const ends: Record<string, () => void> = {}
  const walk = (name: string, lane: 'interactive' | 'bulk', signal?: AbortSignal) =>
    waiting.walk(
      (stopped) =>
        new Promise<string | undefined>((resolve) => {
          running.push(name)
          ends[name] = () => resolve(name)
          stopped.addEventListener('abort', () => resolve(undefined))
        }),
      { lane, signal }
    )
  const gone = new AbortController()
  const first = walk('matrix', 'bulk', gone.signal)
  const second = walk('next matrix', 'bulk')
  await nextTurn()
  const facets = walk('facets', 'interactive')
  for (let i = 0; i < 3; i++) await nextTurn()
  t.same(running, ['matrix', 'facets'])
  ends.facets()
  t.equal(await facets, 'facets')
  t.same(running, ['matrix', 'facets'], 'of two matrices one waits')
  gone.abort(new Error('nobody waits'))
  await t.rejects(first, { message: 'nobody waits' })
  for (let i = 0; i < 3; i++) await nextTurn()
  t.same(running, ['matrix', 'facets', 'next matrix'])
  ends['next matrix']()
  t.equal(await second, 'next matrix')
  await waiting.close()
})
