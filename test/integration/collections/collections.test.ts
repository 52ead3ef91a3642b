import { existsSync } from 'node:fs'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import SQLite from 'better-sqlite3'
import t, { type Test } from 'tap'
import type { Collection } from '../../../src/collections/collection.js'
import { openStore } from '../../../src/collections/open-store.js'
import { openReader } from '../../../src/collections/sqlite/connection.js'
import { createStoreWriter, type Written } from '../../../src/collections/sqlite/writes.js'
import { imagePath } from '../../../src/collections/image-files.js'
import { openWriter } from '../../../src/collections/sqlite/connection.js'
import { randomVector, settings } from '../../fixtures/collections.js'

async function open(t: Test, dataDir = t.testdir()) {
  const store = await openStore({ dataDir })
  const { collections } = store
  t.teardown(() => store.close())
  return {
    store,
    collections,
    dataDir,
    create: async (name = 'things') => (await collections.create(name, () => settings(name))).collection
  }
}

const ids = async (collection: Collection, query: Float32Array, options = {}) =>
  (await collection.search(query, { target: 'image', limit: 10, ...options })).matches.map(
    ({ record }) => record.id
  )

t.test('records are searchable once acknowledged, and after a restart', async (t) => {
  const dataDir = t.testdir()
  const first = await openStore({ dataDir })
  const { collection } = await first.collections.create('things', () => settings('things'))
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
  await first.close()
  const { collections } = await open(t, dataDir)
  await check(await collections.get('things'))
})

t.test('an upsert replaces a record, its embeddings and its modalities', async (t) => {
  const { create } = await open(t)
  const collection = await create()
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

t.test('the same id twice in one call: the last one stays', async (t) => {
  const { create } = await open(t)
  const collection = await create()
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

t.test('a deleted record is gone from the store and from both searches', async (t) => {
  const { create } = await open(t)
  const collection = await create()
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

t.test('collections live side by side, and go whole', async (t) => {
  const { collections, create } = await open(t)
  const [one, two] = [await create('one'), await create('two')]
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
  const again = await create('one')
  t.match(await again.counts(), { records: 0, images: 0 })
  t.not(again.settings.id, one.settings.id)
})

t.test('creating again: the same changes nothing, mutable settings change, others conflict', async (t) => {
  const { collections, create } = await open(t)
  const collection = await create()
  await collection.upsert([{ id: 'a', embeddings: { image: randomVector() } }])
  t.match(await collections.create('things', () => settings('things')), { created: false })
  const changed = await collections.create('things', () =>
    settings('things', { storage: 'none', hnsw: { m: 16, efConstruction: 200, efSearch: 300 } })
  )
  t.match(changed, { created: false, collection: { settings: { storage: 'none', hnsw: { efSearch: 300 } } } })
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
})

t.test('kept images: one file for equal bytes, removed with the last record, swept at start', async (t) => {
  const { store, collections, create, dataDir } = await open(t)
  const collection = await create()
  const image = { bytes: Buffer.from('not really a picture'), type: 'image/png' }
  const embeddings = () => ({ image: randomVector() })
  await collection.upsert([
    { id: 'a', image, embeddings: embeddings() },
    { id: 'b', image, embeddings: embeddings() }
  ])
  const { sha256 } = (await collection.get('a'))!.image!
  const path = imagePath(dataDir, sha256)
  t.ok(existsSync(path))
  t.match(await collection.counts(), { bytes: 2 * image.bytes.length + 2 * 16 * 4 })
  await collection.upsert([{ id: 'a', embeddings: embeddings() }])
  t.ok(existsSync(path), 'b still has it')
  t.equal((await collection.get('a'))!.image, null)
  await collection.delete(['b'])
  t.notOk(existsSync(path))
  await collection.upsert([{ id: 'c', image, embeddings: embeddings() }])
  t.ok(existsSync(path), 'it comes back')
  const other = await create('other')
  await other.upsert([
    { id: 'x', image: { bytes: Buffer.from('second'), type: 'image/png' }, embeddings: embeddings() }
  ])
  t.equal((await readdir(join(dataDir, 'images'))).length, 2)
  await collections.drop('other')
  t.same(await readdir(join(dataDir, 'images')), [sha256], 'dropped with its collection')
  await store.close()
  await writeFile(join(dataDir, 'images', 'f'.repeat(64)), 'orphan')
  await writeFile(join(dataDir, 'images', `${sha256}.partial`), 'half')
  await open(t, dataDir)
  t.same(await readdir(join(dataDir, 'images')), [sha256])
})

t.test('many writers at once: each acknowledged write is there', async (t) => {
  const { create } = await open(t)
  const collection = await create()
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

t.test('searches are answered while a long load waits for the graph', async (t) => {
  const { create } = await open(t)
  const collection = await create()
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

t.test('one process at a time has the folder', async (t) => {
  const { dataDir, store } = await open(t)
  await t.rejects(openStore({ dataDir }), new RegExp(`in use by process ${process.pid}`))
  await store.close()
  await open(t, dataDir)
})

t.test('a store of a newer version is refused and left as it is', async (t) => {
  const { dataDir, store } = await open(t)
  await store.close()
  const db = new SQLite(join(dataDir, 'semblance.db'))
  db.pragma('user_version = 99')
  db.close()
  await t.rejects(openStore({ dataDir }), /schema 99.*newer/)
})

t.test('the store is opened as promised', async (t) => {
  const dataDir = t.testdir()
  const db = openWriter(dataDir)
  t.teardown(() => db.close())
  t.same(
    ['journal_mode', 'synchronous', 'foreign_keys', 'user_version'].map((name) =>
      db.pragma(name, { simple: true })
    ),
    ['wal', 2, 1, 6]
  )
  t.throws(() => openReader(dataDir).exec('DELETE FROM collection'), /readonly/)

  const writer = createStoreWriter(db)
  const { answers } = writer.commit([{ kind: 'create', settings: settings('one') }])
  const key = (answers[0] as { created: { id: number; name: string } }).created
  const upsert = (id: string) => ({
    kind: 'upsert' as const,
    collection: key,
    records: [{ id, embeddings: { image: randomVector() } }]
  })
  t.test('one write that can not be done fails alone', async (t) => {
    const { answers } = writer.commit([
      upsert('a'),
      { kind: 'drop', collection: { id: 99, name: 'nowhere' } },
      upsert('b')
    ])
    t.match(answers, [
      { changes: [{ existed: false }] },
      { failure: { code: 'COLLECTION_NOT_FOUND' } },
      { changes: [{ existed: false }] }
    ])
  })
  t.test('a fault of the store leaves nothing of the group', async (t) => {
    const broken = { ...upsert('d'), records: [{ id: 'd', embeddings: { image: 'no vector' as never } }] }
    t.throws(() => writer.commit([upsert('c'), broken]))
    t.equal(db.prepare("SELECT count(*) FROM record WHERE id IN ('c', 'd')").pluck().get(), 0)
  })
  t.test('a full disk refuses the whole group, and takes it when there is room', async (t) => {
    db.pragma(`max_page_count = ${db.pragma('page_count', { simple: true })}`)
    const large = {
      ...upsert('large'),
      records: [{ id: 'large', text: 'x'.repeat(1 << 20), embeddings: { image: randomVector() } }]
    }
    t.throws(() => writer.commit([upsert('e'), large]), { code: 'SQLITE_FULL' })
    t.equal(db.prepare("SELECT count(*) FROM record WHERE id IN ('e', 'large')").pluck().get(), 0)
    db.pragma('max_page_count = 100000')
    t.match(writer.commit([upsert('e'), large]).answers, [{ changes: [{}] }, { changes: [{}] }])
  })
  t.test('labels are never given twice', async (t) => {
    const label = () => (writer.commit([upsert('a')]).answers[0] as Written).changes[0].added[0].label
    const first = label()
    db.exec('DELETE FROM embedding')
    t.ok(label() > first)
    db.exec("UPDATE sqlite_sequence SET seq = 4294967295 WHERE name = 'embedding'")
    t.throws(label, /constraint/i, 'and none beyond 32 bits')
  })
})
