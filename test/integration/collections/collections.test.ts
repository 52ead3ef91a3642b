import { existsSync } from 'node:fs'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import SQLite from 'better-sqlite3'
import t, { type Test } from 'tap'
import { openStore } from '../../../src/collections/open-store.js'
import { createStoreWriter, type Written } from '../../../src/collections/sqlite/writes.js'
import { imagePath } from '../../../src/collections/image-files.js'
import { openReader, openWriter } from '../../../src/collections/sqlite/connection.js'
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

t.test('one process at a time has the folder', async (t) => {
  const { dataDir, store } = await open(t)
  await t.rejects(openStore({ dataDir }), new RegExp(`in use by process ${process.pid}`))
  await store.close()
  await open(t, dataDir)
})

t.test('a store of a newer version is rejected and left as it is', async (t) => {
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
  t.test('one write that cannot be done fails alone', async (t) => {
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
