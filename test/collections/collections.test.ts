import t from 'tap'
import { openCollections } from '../../src/collections/collections.js'
import { settings, randomVector } from '../fixtures/collections.js'

t.test('records are searchable once acknowledged, and after a restart', async (t) => {
  const dataDir = t.testdir()
  const first = await openCollections({ dataDir })
  const { collection } = await first.create(settings('things'))
  const vectors = Array.from({ length: 50 }, () => randomVector())
  await collection.upsert(vectors.map((image, i) => ({ id: `r${i}`, text: `record ${i}`, embeddings: { image } })))
  const check = async (collection: Awaited<ReturnType<typeof first.create>>['collection']) => {
    for (const exact of [true, false]) {
      const [best] = await collection.search(vectors[7], { target: 'image', limit: 3, exact })
      t.equal(best.record.id, 'r7')
      t.ok(best.score > 0.9999)
    }
    t.match(await collection.counts(), { records: 50, images: 50, texts: 0 })
  }
  await check(collection)
  await first.close()
  const second = await openCollections({ dataDir })
  t.teardown(() => second.close())
  await check(second.get('things'))
})

t.test('a second process can not have the folder', async (t) => {
  const dataDir = t.testdir()
  const first = await openCollections({ dataDir })
  t.teardown(() => first.close())
  await t.rejects(openCollections({ dataDir }), /in use by process/)
})
