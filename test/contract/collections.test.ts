import t from 'tap'
import type { Collection } from '../../src/collections/collection.js'
import type { Store } from '../../src/collections/stores/store.js'
import { randomVector, settings } from '../fixtures/collections.js'
import { testStores } from './stores.js'

async function create({ collections }: Store, name = 'things'): Promise<Collection> {
  return (await collections.create(name, () => settings(name))).collection
}

const ids = async (collection: Collection, query: Float32Array, options = {}) =>
  (await collection.search(query, { target: 'image', limit: 10, ...options })).matches.map(
    ({ record }) => record.id
  )

testStores(t, 'records are searchable once acknowledged, and after a restart', async (t, opened) => {
  const collection = await create(opened.store)
  const vectors = Array.from({ length: 50 }, () => randomVector())
  const results = await collection.upsert(
    vectors.map((image, i) => ({
      id: `r${i}`,
      text: `record ${i}`,
      metadata: JSON.stringify({ i }),
      embeddings: { image }
    }))
  )
  t.ok(results.every(({ status }) => status === 'created'))
  const check = async (collection: Collection) => {
    for (const exact of [true, false]) {
      const {
        matches: [best]
      } = await collection.search(vectors[7], { target: 'image', limit: 3, exact })
      t.match(best, {
        record: { id: 'r7', text: 'record 7', modalities: ['image'], image: null },
        modality: 'image'
      })
      t.same(best.record.metadata?.parse(), { i: 7 })
      t.ok(best.score > 0.9999)
    }
    t.match(await collection.counts(), { records: 50, images: 50, texts: 0, bytes: 50 * 16 * 4 })
    t.match(await collection.search(vectors[7], { target: 'text', limit: 3 }), { matches: [] })
  }
  await check(collection)
  const { collections } = await opened.reopen()
  await check(await collections.get('things'))
})

testStores(t, 'an upsert replaces a record, its embeddings and its modalities', async (t, { store }) => {
  const collection = await create(store)
  const [before, after] = [randomVector(), randomVector()]
  await collection.upsert([
    { id: 'a', text: 'old', metadata: '{"old":true}', embeddings: { image: before, text: before } }
  ])
  const created = await collection.get('a')
  const [{ status }] = await collection.upsert([{ id: 'a', text: 'new', embeddings: { image: after } }])
  t.equal(status, 'updated')
  t.match(await collection.get('a'), {
    text: 'new',
    metadata: null,
    modalities: ['image'],
    createdAt: created!.createdAt
  })
  t.match(await collection.counts(), { records: 1, images: 1, texts: 0 })
  const {
    matches: [match]
  } = await collection.search(after, { target: 'image', limit: 5 })
  t.ok(match.score > 0.9999)
})

testStores(t, 'the same id twice in one call: the last one stays', async (t, { store }) => {
  const collection = await create(store)
  const vector = randomVector()
  const results = await collection.upsert([
    { id: 'a', text: 'first', embeddings: { image: randomVector() } },
    { id: 'a', text: 'second', embeddings: { image: vector } }
  ])
  t.same(
    results.map(({ status }) => status),
    ['created', 'updated']
  )
  t.match(await collection.counts(), { records: 1, images: 1 })
  t.equal((await collection.get('a'))!.text, 'second')
  t.same(await ids(collection, vector), ['a'])
})

testStores(t, 'a deleted record is gone from the store and from both searches', async (t, { store }) => {
  const collection = await create(store)
  const vectors = Array.from({ length: 30 }, () => randomVector())
  await collection.upsert(vectors.map((image, i) => ({ id: `r${i}`, embeddings: { image } })))
  t.same(await collection.delete(['r3', 'nobody', 'r4']), [
    { id: 'r3', existed: true },
    { id: 'nobody', existed: false },
    { id: 'r4', existed: true }
  ])
  t.equal(await collection.get('r3'), undefined)
  for (const exact of [true, false]) {
    const found = await ids(collection, vectors[3], { limit: 100, exact })
    t.equal(found.length, 28)
    t.notOk(found.includes('r3') || found.includes('r4'))
  }
})

testStores(t, 'collections live side by side, and go whole', async (t, { store }) => {
  const { collections } = store
  const [one, two] = [await create(store, 'one'), await create(store, 'two')]
  const vector = randomVector()
  await one.upsert([{ id: 'same', text: 'in one', embeddings: { image: vector } }])
  await two.upsert([{ id: 'same', text: 'in two', embeddings: { image: vector } }])
  t.equal((await one.get('same'))!.text, 'in one')
  t.same(
    (await collections.list()).map(({ settings }) => settings.name),
    ['one', 'two']
  )
  await collections.drop('one')
  await t.rejects(collections.get('one'), { code: 'COLLECTION_NOT_FOUND' })
  await t.rejects(collections.drop('one'), { code: 'COLLECTION_NOT_FOUND', statusCode: 404 })
  await t.rejects(one.upsert([{ id: 'late', embeddings: { image: vector } }]), {
    code: 'COLLECTION_NOT_FOUND',
    message: /'one'/
  })
  t.match(await one.search(vector, { target: 'image', limit: 5 }), { matches: [] })
  t.same(await ids(two, vector), ['same'])
  const again = await create(store, 'one')
  t.match(await again.counts(), { records: 0, images: 0 })
  t.not(again.settings.id, one.settings.id)
})

testStores(
  t,
  'creating again: the same changes nothing, mutable settings change, others conflict',
  async (t, { store }) => {
    const { collections } = store
    const collection = await create(store)
    await collection.upsert([{ id: 'a', embeddings: { image: randomVector() } }])
    t.match(await collections.create('things', () => settings('things')), { created: false })
    const changed = await collections.create('things', () =>
      settings('things', { storage: 'none', hnsw: { m: 16, efConstruction: 200, efSearch: 300 } })
    )
    t.match(changed, {
      created: false,
      collection: { settings: { storage: 'none', hnsw: { efSearch: 300 } } }
    })
    t.match(await changed.collection.counts(), { records: 1 })
    await t.rejects(
      collections.create('things', () =>
        settings('things', { hnsw: { m: 8, efConstruction: 200, efSearch: 100 } })
      ),
      { code: 'COLLECTION_CONFLICT', message: /m 16/ }
    )
    await t.rejects(
      collections.create('things', () => settings('things', { fingerprint: 'other' })),
      { code: 'COLLECTION_CONFLICT' }
    )
    const both = await Promise.all([
      collections.create('new', () => settings('new')),
      collections.create('new', () => settings('new'))
    ])
    t.same(
      both.map(({ created }) => created),
      [true, false],
      'two at once make one'
    )
  }
)

testStores(t, 'many writers at once: each acknowledged write is there', async (t, { store }) => {
  const collection = await create(store)
  const vectors = Array.from({ length: 300 }, () => randomVector())
  await Promise.all(
    vectors.map(async (image, i) => {
      await collection.upsert([{ id: `r${i}`, embeddings: { image } }])
      t.equal((await ids(collection, image))[0], `r${i}`)
      if (i % 3 === 0) await collection.delete([`r${i}`])
    })
  )
  t.match(await collection.counts(), { records: 200, images: 200 })
})

testStores(t, 'searches are answered during a long load', async (t, { store }) => {
  const collection = await create(store)
  const load = Promise.all(
    Array.from({ length: 50 }, (_, batch) =>
      collection.upsert(
        Array.from({ length: 250 }, (_, i) => ({
          id: `${batch}-${i}`,
          embeddings: { image: randomVector() }
        }))
      )
    )
  )
  let answered = 0
  let done = false
  void load.then(() => (done = true))
  while (!done) {
    await collection.search(randomVector(), { target: 'image', limit: 10 })
    if (!done) answered++
  }
  t.ok(answered > 10, `${answered} searches were answered meanwhile`)
  t.match(await collection.counts(), { records: 12_500, images: 12_500 })
})

testStores(t, 'all live records are found once most are deleted, page by page', async (t, { store }) => {
  const { collection } = await store.collections.create('things', () =>
    settings('things', { hnsw: { m: 6, efConstruction: 24, efSearch: 24 } })
  )
  const same = randomVector()
  const records = Array.from({ length: 1393 }, (_, i) => ({
    id: `r${i}`,
    metadata: JSON.stringify({ n: i }),
    embeddings: { image: i % 3 === 0 ? same : randomVector(), ...(i % 2 && { text: randomVector() }) }
  }))
  for (let start = 0; start < records.length; start += 256)
    await collection.upsert(records.slice(start, start + 256))
  for (const [status, count] of [
    ['before', 1393],
    ['after', 199]
  ] as const) {
    if (status === 'after') await collection.delete(records.flatMap(({ id }, i) => (i % 7 === 0 ? [] : [id])))
    for (const target of ['image', 'record'] as const) {
      for (const options of [
        {},
        { scoreThreshold: 0.02, without: ['r0', 'r7'] },
        { relativeThreshold: 0.5 }
      ]) {
        const find = async (offset: number, limit: number) =>
          (await collection.search(same, { target, offset, limit, ...options })).matches.map(
            ({ record, score }) => `${record.id} ${score}`
          )
        const whole = await find(0, 1400)
        const pages: string[] = []
        for (let offset = 0; offset < whole.length + 50; offset += 350)
          pages.push(...(await find(offset, 350)))
        if (JSON.stringify(pages) !== JSON.stringify(whole))
          t.fail(`${status}, ${target}, ${JSON.stringify(options)}`)
        if (Object.keys(options).length === 0) t.equal(new Set(whole).size, count, 'all of them')
      }
    }
  }
})
