import t from 'tap'
import { testStores } from './stores.js'

testStores(
  t,
  'jobs are listed in the order of their creation, as they were saved last',
  async (t, opened) => {
    const { jobs } = opened.store
    t.same(await jobs.list(), [])
    await jobs.save({ id: 'b', body: '{"n":1}', createdAt: 1 })
    await jobs.save({ id: 'a', body: '{"n":2}', createdAt: 2 })
    await jobs.save({ id: 'c', body: '{"n":3}', createdAt: 3 })
    await jobs.save({ id: 'b', body: '{"n":4}', createdAt: 1 })
    await jobs.remove('c')
    await jobs.remove('nobody')
    t.same(await jobs.list(), ['{"n":4}', '{"n":2}'])
    const again = await opened.reopen()
    t.same(await again.jobs.list(), ['{"n":4}', '{"n":2}'])
  }
)

testStores(t, 'a classifier takes the place of the one with its name', async (t, opened) => {
  const { classifiers } = opened.store
  const weights = new Uint8Array(new Float32Array([1, -2, 0.5]).buffer)
  t.same(await classifiers.list(), [])
  t.equal(await classifiers.save({ name: 'b', body: '{"n":1}', weights }), false)
  t.equal(await classifiers.save({ name: 'a', body: '{"n":2}', weights: new Uint8Array(4) }), false)
  t.equal(await classifiers.save({ name: 'b', body: '{"n":3}', weights }), true)
  t.same(await classifiers.list(), ['{"n":2}', '{"n":3}'], 'in the order of their names')
  t.equal(await classifiers.remove('a'), true)
  t.equal(await classifiers.remove('a'), false)
  const again = (await opened.reopen()).classifiers
  t.same(await again.list(), ['{"n":3}'])
  const { weights: kept, ...rest } = (await again.get('b'))!
  t.same(rest, { name: 'b', body: '{"n":3}' })
  t.same(new Uint8Array(kept), weights)
  t.equal(await again.get('a'), undefined)
})

testStores(t, 'reports are replaced, removed, and swept but for those that are known', async (t, opened) => {
  const { reports } = opened.store
  const [one, two, three] = ['1', '2', '3'].map((n) => `${n.repeat(8)}-0000-4000-8000-000000000000`)
  t.equal(await reports.read(one), undefined)
  await reports.sweep([])
  await reports.write(one, '{"n":1}')
  await reports.write(one, '{"n":2}')
  await reports.write(two, '{"n":3}')
  await reports.write(three, '{"n":4}')
  await reports.remove(two)
  await reports.remove(two)
  t.same(await Promise.all([one, two, three].map(reports.read)), ['{"n":2}', undefined, '{"n":4}'])
  const again = (await opened.reopen()).reports
  await again.sweep([one, two])
  t.same(await Promise.all([one, two, three].map(again.read)), ['{"n":2}', undefined, undefined])
})

testStores(t, 'a marker is there once it was set', async (t, opened) => {
  const { markers } = opened.store
  t.equal(await markers.has('demo-loaded'), false)
  await markers.set('demo-loaded', '3 records')
  t.equal(await markers.has('demo-loaded'), true)
  t.equal(await (await opened.reopen()).markers.has('demo-loaded'), true)
})
