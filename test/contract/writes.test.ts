import t from 'tap'
import { randomVector, settings } from '../fixtures/collections.js'
import { testStores } from './stores.js'

testStores(t, 'a patch merges metadata and changes nothing else', async (t, { store: { collections } }) => {
  const { collection } = await collections.create('things', () => settings('things'))
  const [image, text] = [randomVector(), randomVector()]
  await collection.upsert([
    { id: 'a', text: 'one', metadata: '{"keep":1,"change":{"x":1,"y":2},"drop":3}', embeddings: { image } }
  ])
  const before = (await collection.get('a'))!
  await collection.patch('a', {
    metadata: { change: { y: null, z: 3 }, drop: null },
    text: 'two',
    embeddings: { text }
  })
  const after = (await collection.get('a'))!
  t.match(after, {
    text: 'two',
    metadata: { keep: 1, change: { x: 1, z: 3 } },
    modalities: ['image', 'text'],
    createdAt: before.createdAt
  })
  t.ok(after.updatedAt > before.updatedAt)
  t.notOk('drop' in after.metadata!)
  await t.rejects(collection.patch('nobody', { embeddings: {} }), { code: 'RECORD_NOT_FOUND' })
  await t.rejects(collection.patch('a', { embeddings: { image: null, text: null } }), {
    code: 'RECORD_INVALID'
  })
  t.same(await collection.get('a'), after, 'a rejected patch changes nothing')
})

testStores(t, 'a record that was changed is not deleted by its former version', async (t, { store }) => {
  const { collection } = await store.collections.create('things', () => settings('things'))
  const put = (ids: string[]) =>
    collection.upsert(ids.map((id) => ({ id, embeddings: { image: randomVector() } })))
  await put(['a', 'b'])
  const updatedAt = [(await collection.get('a'))!.updatedAt, (await collection.get('b'))!.updatedAt]
  await put(['b'])
  t.same(await collection.delete(['a', 'b'], { updatedAt }), [
    { id: 'a', existed: true },
    { id: 'b', existed: false }
  ])
  t.ok(await collection.get('b'))
})

testStores(
  t,
  'a step of a bulk load commits with its records, and follows on the last',
  async (t, opened) => {
    const { collection } = await opened.store.collections.create('things', () => settings('things'))
    const step = (from: number, lines: number, completed = false) =>
      collection.upsert([{ id: `r${lines}`, embeddings: { image: randomVector() } }], {
        load: {
          key: 'k',
          from,
          lines,
          digest: `d${lines}`,
          failed: [{ line: lines, body: '{"code":"X"}' }],
          completed
        }
      })
    t.equal(await collection.bulkLoad('k'), undefined)
    await step(0, 5)
    await t.rejects(step(0, 6), { code: 'BULK_LOAD_RUNNING' })
    t.equal(await collection.get('r6'), undefined)
    await step(5, 9, true)
    const again = await (await opened.reopen()).collections.get('things')
    t.match(await again.bulkLoad('k'), { lines: 9, digest: 'd9', created: 2, failed: 2, completed: true })
    t.same(await again.failedLines('k'), [
      { line: 5, body: '{"code":"X"}' },
      { line: 9, body: '{"code":"X"}' }
    ])
  }
)

testStores(t, 'a replacement takes the place of its collection once it is as new', async (t, opened) => {
  const { collections } = opened.store
  const { collection } = await collections.create('things', () => settings('things'))
  const put = (id: string) => collection.upsert([{ id, text: id, embeddings: { text: randomVector() } }])
  await put('a')
  await put('b')
  const space = { model: 'other', fingerprint: 'e'.repeat(64), dimension: 4 }
  const begun = await collections.replacement('things', space)
  t.same(await collections.beingReplaced(), ['things'])
  t.equal((await collections.list()).length, 1, 'it is out of sight')
  const copy = async (replacement: typeof begun) => {
    const page = await replacement.compare({ limit: 10 })
    const records = page.filter(({ isCopied }) => !isCopied)
    await replacement.copy(
      records.map(({ key, updatedAt }) => ({ key, updatedAt, embeddings: { text: randomVector(4) } }))
    )
    return records.map(({ id }) => id)
  }
  t.same(await copy(begun), ['a', 'b'])
  const store = await opened.reopen()
  const old = await store.collections.get('things')
  await old.upsert([{ id: 'b', text: 'new', embeddings: { text: randomVector() } }])
  await old.delete(['a'])
  const resumed = await store.collections.replacement('things', space)
  t.equal(await resumed.replace(), false, 'one record changed meanwhile')
  t.same(await copy(resumed), ['b'])
  t.equal(await resumed.removeExtra(), 1)
  t.equal(await resumed.replace(), true)
  const replaced = await store.collections.get('things')
  t.match(replaced.settings, { ...space, name: 'things' })
  t.match(await replaced.get('b'), { text: 'new' })
  t.match(await replaced.counts(), { records: 1, texts: 1 })
  t.same(await store.collections.beingReplaced(), [])
})
