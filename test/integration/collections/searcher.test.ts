import t from 'tap'
import { openWriter } from '../../../src/collections/sqlite/connection.js'
import { createStoreWriter, type Written } from '../../../src/collections/sqlite/writes.js'
import { selected } from '../../../src/collections/selection.js'
import type { StoredCollection } from '../../../src/collections/record.js'
import { startThreadPool } from '../../../src/threading/thread-pool.js'
import { randomVector, settings } from '../../fixtures/collections.js'

type Searcher = typeof import('../../../src/collections/searcher-worker.js')

t.test('a searcher that missed commits is brought in line with the store', async (t) => {
  const dataDir = t.testdir()
  const db = openWriter(dataDir)
  const writer = createStoreWriter(db)
  const create = (name: string) =>
    (writer.commit([{ kind: 'create', settings: settings(name) }]).answers[0] as Written).created!
  const [kept, dropped] = [create('kept'), create('dropped')]
  const upsert = (collection: typeof kept, id: string, image: Float32Array, metadata = {}) =>
    writer.commit([
      {
        kind: 'upsert',
        collection,
        records: [{ id, metadata: JSON.stringify(metadata), embeddings: { image } }]
      }
    ])
  const [a, b, c] = [randomVector(), randomVector(), randomVector()]
  upsert(kept, 'a', a, { n: 1 })
  upsert(kept, 'b', b, { n: 2 })
  upsert(dropped, 'x', a)

  const searcher = await startThreadPool<Searcher>(
    new URL('../../../src/collections/searcher-worker.js', import.meta.url),
    { name: 'searcher', count: 1, workerData: { dataDir }, callsPerThread: 100 }
  )
  t.teardown(async () => {
    await searcher.call('stop', undefined)
    await searcher.close()
    db.close()
  })
  const find = async (query: Float32Array, collection = kept.id) =>
    (
      await searcher.call('search', { collection, target: 'image', query, limit: 10, exact: true })
    ).matches.map(({ record, score }) => (score > 0.999 ? `${record.id}!` : record.id))
  t.equal((await find(a))[0], 'a!')

  // What a writer that died before it could say so has done: a is changed, b is gone, c is new, a collection
  // dropped, one made.
  upsert(kept, 'a', c, { n: 10 })
  writer.commit([
    { kind: 'delete', collection: kept, ids: ['b'] },
    { kind: 'drop', collection: dropped }
  ])
  const made = create('made')
  upsert(made, 'y', b)
  t.notOk((await find(c)).includes('a!'), 'the searcher does not know yet')

  await searcher.call('resync', undefined)
  t.same(await find(c), ['a!'])
  t.same(await find(a), ['a'])
  t.same(await find(b, made.id), ['y!'])
  t.same(await find(a, dropped.id), [])
  t.match(await searcher.call('counts', kept.id), { records: 1, image: 1 })
  const filter = { kind: 'in' as const, field: 'n', values: [10] }
  const [
    {
      ids,
      updatedAt: [time]
    }
  ] = selected(await searcher.call('select', { collection: kept.id, filter }), 10)
  t.same(ids, ['a'])
  t.type(time, 'number')
  t.same(
    ((await searcher.call('read', { operation: 'collections', args: [] })) as StoredCollection[]).map(
      ({ name }) => name
    ),
    ['kept', 'made']
  )
})
