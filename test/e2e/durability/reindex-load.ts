import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import type { Api } from '../../fixtures/server.js'
import { Acknowledged, type State } from './acknowledged.js'
import { answerTo, hashOf, sample, step, storedIn, type Load } from './load.js'
import { uniform } from '../../fixtures/random.js'

const IDS = 150
const BATCH = 20
const SAMPLE = 30
const POLL_MS = 50
const JOB_BOUND_MS = 120_000

const base = '/v1/collections/words'
const WORDS = (
  'red blue green dog cat house tree car boat rain snow sun moon seven two old new small large glass ' +
  'iron wood stone river hill road bird fish horse apple bread milk cup door lamp chair hat shoe ball ' +
  'song'
).split(' ')

/**
 * Words that an id and its version stand for: no two like each other, which small towers would not tell
 * apart.
 */
function textOf(id: string, version: number): string {
  let state = hashOf(`${id}/${version}`)
  return Array.from({ length: 6 }, () => WORDS[((state = step(state)) >>> 8) % WORDS.length]).join(' ')
}

/**
 * Texts that are written and deleted while their collection is re-indexed, from one model to the next and on.
 */
export function reindexLoad(models: string[]): Load {
  const seen = new Acknowledged()
  let version = 1
  let turn = 0

  /** Each writer has ids of its own: of two that change one record no one knows who came last. */
  async function write(api: Api, writer: string): Promise<void> {
    for (;;) {
      const ids = [...new Set(Array.from({ length: BATCH }, () => `${writer}${Math.floor(uniform() * IDS)}`))]
      const next = version++
      const isDeletion = uniform() < 0.2
      const confirm = seen.attempt(new Map<string, State>(ids.map((id) => [id, isDeletion ? null : next])))
      const call = isDeletion
        ? api('POST', `${base}/records/delete`, { ids })
        : api('POST', `${base}/records`, {
            records: ids.map((id) => ({ id, text: textOf(id, next), metadata: { version: next } }))
          })
      const answer = await call.catch(() => undefined)
      if (!answer) return
      if (answer.status === 200) confirm()
      // What the new collection overtook is to be sent again, and may have been applied.
      else if (answer.body.error?.code !== 'COLLECTION_REPLACED')
        throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}`)
    }
  }

  async function reindex(api: Api): Promise<void> {
    for (;;) {
      const started = await api('POST', `${base}/reindex`, { model: models[++turn % models.length] }).catch(
        () => undefined
      )
      if (!started) return
      if (started.status !== 202 && started.body.error?.code !== 'REINDEX_RUNNING')
        throw new Error(`${started.status}: ${JSON.stringify(started.body)}`)
      if (!(await allEnded(api).catch(() => undefined))) return
    }
  }

  return {
    prepare: async (api) => void (await answerTo(api('PUT', base, { model: models[0] }))),
    run: async ({ api }) => void (await Promise.all([write(api, 'v'), write(api, 'w'), reindex(api)])),
    check: (t, api) => check(t, api, seen),
    acknowledged: () => seen.count
  }
}

/** The jobs, once none runs. */
async function allEnded(api: Api): Promise<{ id: string; state: string; error: unknown }[]> {
  for (let waited = 0; waited < JOB_BOUND_MS; waited += POLL_MS) {
    const { body } = await api('GET', '/v1/jobs')
    if (body.jobs.every(({ state }: { state: string }) => state !== 'running')) return body.jobs
    await sleep(POLL_MS)
  }
  throw new Error('A job did not end.')
}

async function check(t: Test, api: Api, seen: Acknowledged): Promise<void> {
  const jobs = await allEnded(api)
  t.same(
    jobs.filter(({ state }) => state !== 'done'),
    [],
    `all of ${jobs.length} re-indexings came to their end, those that a kill cut off too`
  )
  const { body: collection } = await api('GET', base)
  const stored = await storedIn(api, base)
  t.same(
    [collection.texts, stored.size],
    [collection.records, collection.records],
    'no record is without its embedding'
  )
  const { wrong, ghosts } = seen.settle(stored)
  t.same(wrong, [], `of ${seen.size} texts none is lost or stale`)
  t.same(ghosts, [], 'nothing is there that was never sent')
  const notFound: string[] = []
  for (const [id, version] of sample(stored, SAMPLE)) {
    const { body } = await api('POST', `${base}/search`, {
      query: { text: textOf(id, version) },
      target: 'text',
      limit: 5,
      exact: true
    })
    if (!body.matches.some((match: { id: string; score: number }) => match.id === id && match.score > 0.9999))
      notFound.push(id)
  }
  t.same(notFound, [], `texts are found by themselves, by model ${collection.model}`)
}
