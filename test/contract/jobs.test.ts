import t from 'tap'
import type { Store } from '../../src/collections/stores/store.js'
import type { JobKind, JobKinds, Work } from '../../src/jobs/job.js'
import { openJobs, type Jobs, type JobsOptions } from '../../src/jobs/jobs.js'
import { testStores } from './stores.js'

const ASKED = { dataset: { collection: 'walls', limit: 10 }, options: {} }
const until = ({ signal }: Work) =>
  new Promise<void>((_, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  )

/** The jobs of a service in a store; `run` is what an evaluation does. */
function jobsIn(
  store: Store,
  {
    run,
    undo,
    ...options
  }: Partial<JobsOptions> & { run: (work: Work) => Promise<void>; undo?: () => Promise<void> }
): Promise<Jobs> {
  const evaluation = {
    mayWait: 1,
    mostCrashes: 3,
    plan: async () => ({
      collection: 'walls',
      dataset: ASKED.dataset,
      model: 'mini',
      fingerprint: '',
      against: null,
      tasks: null,
      options: {}
    }),
    run: (_, work) => run(work),
    undo
  } as JobKind<object, object>
  return openJobs({
    store: store.jobs,
    kinds: { evaluation, reindex: evaluation } as unknown as JobKinds,
    ...options
  })
}

testStores(
  t,
  'a job that crashes the process is given up after three times, and the others have their turn',
  async (t, opened) => {
    let id = ''
    let next = ''
    for (let process = 1; process <= 3; process++) {
      let begun = () => undefined as void
      const isBegun = new Promise<void>((resolve) => (begun = resolve))
      const store = process === 1 ? opened.store : await opened.reopen()
      const jobs = await jobsIn(store, { run: (work) => (begun(), until(work)) })
      if (process === 1)
        [id, next] = [(await jobs.start('evaluation', ASKED)).id, (await jobs.start('evaluation', ASKED)).id]
      else await jobs.resume()
      await isBegun
      t.match([jobs.get(id).state, jobs.get(next).state], ['running', 'queued'], `process ${process}`)
      // A crash: nothing of the jobs is closed.
    }
    let runs = 0
    const jobs = await jobsIn(await opened.reopen(), { run: async () => void runs++ })
    await jobs.resume()
    for await (const job of jobs.watch(next, new AbortController().signal)) if (job.state === 'done') break
    t.match(jobs.get(id), { state: 'failed', error: { code: 'JOB_CRASHED', message: /3 times/ } })
    t.equal(runs, 1, 'of the next one alone')
  }
)

testStores(t, 'stops that are asked for are no crashes, however many', async (t, opened) => {
  let id = ''
  for (let process = 0; process < 5; process++) {
    let begun = () => undefined as void
    const isBegun = new Promise<void>((resolve) => (begun = resolve))
    const store = process === 0 ? opened.store : await opened.reopen()
    const jobs = await jobsIn(store, { run: (work) => (begun(), until(work)) })
    if (process === 0) id = (await jobs.start('evaluation', ASKED)).id
    else await jobs.resume()
    await isBegun
    t.match(jobs.get(id), { state: 'running', crashes: 1 })
    await jobs.close()
  }
})

testStores(t, 'what is cancelled while the service stops is cancelled', async (t, opened) => {
  const jobs = await jobsIn(opened.store, { run: until })
  const [running, queued] = [
    (await jobs.start('evaluation', ASKED)).id,
    (await jobs.start('evaluation', ASKED)).id
  ]
  const closed = jobs.close()
  t.match(await jobs.cancel(running), { state: 'cancelled' })
  await closed
  t.match(await jobs.cancel(queued), { state: 'cancelled' }, 'after it had stopped, too')
  const again = await jobsIn(await opened.reopen(), { run: async () => void t.fail('It ran.') })
  await again.resume()
  t.match([again.get(running).state, again.get(queued).state], ['cancelled', 'cancelled'])
})

testStores(
  t,
  'a job ends and says how, though what it made can not be removed, or its end not be kept',
  async (t, opened) => {
    const faults: object[] = []
    const ends: string[] = []
    const undo = () => Promise.reject(new Error('It is locked.'))
    const jobs = await jobsIn(opened.store, {
      run: until,
      undo,
      onFault: ({ id }, { step, error }) => void faults.push({ id, step, error }),
      onEnd: ({ state }) => void ends.push(state)
    })
    const { id } = await jobs.start('evaluation', ASKED)
    t.match(await jobs.cancel(id), { state: 'cancelled', endedAt: Number })
    t.match(faults, [{ id, step: 'undo', error: { message: 'It is locked.' } }])
    const unkept = (await jobs.start('evaluation', ASKED)).id
    await new Promise((resolve) => setTimeout(resolve, 50))
    await opened.store.close()
    t.match(await jobs.cancel(unkept), { state: 'cancelled' })
    t.match(faults.slice(1), [
      { id: unkept, step: 'undo' },
      { id: unkept, step: 'save', error: Error }
    ])
    t.same(ends, ['cancelled', 'cancelled'])
  }
)

testStores(t, 'changes that come while a watcher is slow are one', async (t, opened) => {
  const jobs = await jobsIn(opened.store, {
    run: async ({ onChange }) => {
      for (let i = 0; i < 1000; i++) onChange()
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  })
  const { id } = await jobs.start('evaluation', ASKED)
  const states: string[] = []
  for await (const { state } of jobs.watch(id, new AbortController().signal)) {
    states.push(state)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  t.ok(states.length <= 4, `${states.length} of more than 1,000`)
  t.equal(states.at(-1), 'done')
})
