import { setTimeout as sleep } from 'node:timers/promises'
import { answerTo, type Load } from './load.js'

const NAMES = 5
const PAUSE_MS = 5

/** Creates and drops collections. */
export function collectionLoad(): Load {
  /** Whether each is there, as far as is known. */
  const there = new Map<string, Set<boolean>>()
  let acknowledged = 0
  return {
    prepare: async () => {},
    run: async ({ api }) => {
      for (let n = 0; ; n++) {
        const name = `passing-${n % NAMES}`
        const before = there.get(name) ?? new Set([false])
        const wanted = !before.has(true)
        there.set(name, new Set([...before, wanted]))
        // One that may be gone already may be dropped all the same.
        const answer = await (wanted
          ? answerTo(api('PUT', `/v1/collections/${name}`, { model: null, dimension: 4 }))
          : api('DELETE', `/v1/collections/${name}`).catch(() => undefined))
        if (!answer) return
        there.set(name, new Set([wanted]))
        acknowledged++
        await sleep(PAUSE_MS)
      }
    },
    check: async (t, api) => {
      const { body } = await api('GET', '/v1/collections')
      const listed = new Set(body.collections.map(({ name }: { name: string }) => name))
      for (const [name, allowed] of there) {
        t.ok(allowed.has(listed.has(name)), `${name} is ${listed.has(name) ? 'there' : 'gone'}`)
        there.set(name, new Set([listed.has(name)]))
      }
    },
    acknowledged: () => acknowledged
  }
}
