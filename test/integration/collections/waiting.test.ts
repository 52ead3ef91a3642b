import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { openStore } from '../../../src/collections/open-store.js'
import { ClientGone } from '../../../src/errors.js'
import { randomVector, settings } from '../../fixtures/collections.js'

t.test(
  'writes that no one waits for are dropped while they wait, and done wholly once the writer has them',
  async (t) => {
    const store = await openStore({ dataDir: t.testdir() })
    const { collections } = store
    t.teardown(() => store.close())
    const { collection } = await collections.create('things', () => settings('things'))
    const write = (id: string, { signal, count = 2 }: { signal?: AbortSignal; count?: number } = {}) =>
      collection.upsert(
        Array.from({ length: count }, (_, n) => ({ id: `${id}${n}`, embeddings: { image: randomVector() } })),
        {},
        { signal }
      )
    const [handed, waiting, late] = [new AbortController(), new AbortController(), new AbortController()]
    late.abort(new ClientGone())
    // Long enough for what follows to come while it runs. Its vectors are checked over several turns.
    const first = write('handed', { signal: handed.signal, count: 2000 })
    for (let turns = 0; turns < 20; turns++) await turn()
    t.equal(store.health.waiting.queued.write, 0)
    const second = write('waiting', { signal: waiting.signal })
    const third = write('kept')
    await turn()
    t.equal(store.health.waiting.queued.write, 2)
    handed.abort(new ClientGone())
    waiting.abort(new ClientGone())
    await t.rejects(second, { code: 'CLIENT_GONE', statusCode: 499 })
    await t.rejects(write('late', { signal: late.signal }), { code: 'CLIENT_GONE' })
    t.ok((await first).every(({ status }) => status === 'created'))
    await third
    t.match(await collection.counts(), { records: 2002, images: 2002 }, 'all that was stored can be searched')
    t.equal(await collection.get('waiting0'), undefined)
  }
)

t.test('reads that no one waits for are dropped while they wait', async (t) => {
  const store = await openStore({ dataDir: t.testdir() })
  const { collections } = store
  t.teardown(() => store.close())
  const { collection } = await collections.create('things', () => settings('things'))
  await collection.upsert([{ id: 'a', embeddings: { image: randomVector() } }])
  const controller = new AbortController()
  const search = (signal?: AbortSignal) =>
    collection.search(randomVector(), { target: 'image', limit: 1 }, { signal })
  const kept = Array.from({ length: 20 }, () => search())
  const dropped = Promise.allSettled(Array.from({ length: 50 }, () => search(controller.signal)))
  t.equal(store.health.waiting.queued.read, 70)
  controller.abort(new ClientGone())
  t.equal(store.health.waiting.queued.read, 20)
  t.ok(
    (await dropped).every((result) => result.status === 'rejected' && result.reason.code === 'CLIENT_GONE')
  )
  t.equal((await Promise.all(kept)).length, 20)
  t.equal(store.health.waiting.queued.read, 0)
})
