import type { Test } from 'tap'
import type { Api } from '../../fixtures/server.js'
import { answerTo, DIMENSION, recordOf, sample, storedIn, vectorOf, type Load } from './load.js'
import { uniform } from '../../fixtures/random.js'

const IDS = 200
const KEPT_BACKUPS = 3
const SAMPLE = 20

const base = '/v1/collections/frozen'

type Whole = ReadonlyMap<string, number>

/**
 * Backups of a collection between writes to it, each restored into its place some time: one step after the
 * other, so that the collection is wholly as before a step or as after it, whenever the service ends.
 */
export function restoreLoad(): Load {
  let allowed: Whole[] = [new Map()]
  const backups = new Map<string, Whole>()
  let steps = 0
  let restored = 0

  async function write(api: Api, before: Whole): Promise<boolean> {
    const ids = sample(
      Array.from({ length: IDS }, (_, n) => `f${n}`),
      1 + Math.floor(uniform() * IDS)
    )
    const after = new Map([...before, ...ids.map((id) => [id, steps] as const)])
    allowed = [before, after]
    if (!(await answerTo(api('POST', `${base}/records`, { records: ids.map((id) => recordOf(id, steps)) }))))
      return false
    allowed = [after]
    return true
  }

  async function makeBackup(api: Api, now: Whole): Promise<boolean> {
    const name = `step-${steps}`
    const answer = await answerTo(api('POST', `${base}/backups`, { name }))
    if (answer) backups.set(name, now)
    const [oldest] = backups.keys()
    if (!answer || backups.size <= KEPT_BACKUPS) return answer !== undefined
    backups.delete(oldest)
    return (await answerTo(api('DELETE', `${base}/backups/${oldest}`))) !== undefined
  }

  async function restore(api: Api, before: Whole): Promise<boolean> {
    const [name, after] = sample(backups, 1)[0]
    allowed = [before, after]
    if (!(await answerTo(api('POST', `${base}/restore?replace=true`, { backup: name })))) return false
    allowed = [after]
    restored++
    return true
  }

  return {
    prepare: async (api) => void (await answerTo(api('PUT', base, { model: null, dimension: DIMENSION }))),
    run: async ({ api }) => {
      for (let isThere = true; isThere;) {
        steps++
        const [now] = allowed
        const kind = uniform()
        isThere = await (kind < 0.4
          ? write(api, now)
          : kind < 0.7 || backups.size === 0
            ? makeBackup(api, now)
            : restore(api, now))
      }
    },
    check: async (t, api) => {
      allowed = [await check(t, api, allowed)]
      const listed: string[] = (await api('GET', `${base}/backups`)).body.backups.map(
        ({ name }: { name: string }) => name
      )
      t.same(
        [...backups.keys()].filter((name) => !listed.includes(name)),
        [],
        `${backups.size} backups are there; ${restored} restores so far`
      )
    },
    acknowledged: () => steps
  }
}

/** Returns what is there. */
async function check(t: Test, api: Api, allowed: Whole[]): Promise<Whole> {
  const stored = await storedIn(api, base)
  t.ok(
    allowed.some((whole) => isSame(whole, stored)),
    `the ${stored.size} records are wholly as before the last step, or as after it`
  )
  t.match((await api('GET', base)).body, { records: stored.size, images: stored.size })
  const notFound: string[] = []
  for (const [id, version] of sample(stored, SAMPLE)) {
    const { body } = await api('POST', `${base}/search`, {
      query: { embedding: vectorOf(id, version) },
      limit: 1,
      exact: true
    })
    if (body.matches[0]?.id !== id || body.matches[0].score < 0.9999) notFound.push(id)
  }
  t.same(notFound, [], 'records are found by their own embeddings')
  return stored
}

function isSame(one: Whole, other: Whole): boolean {
  return one.size === other.size && [...one].every(([id, version]) => other.get(id) === version)
}
