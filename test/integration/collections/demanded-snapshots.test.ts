import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Collection } from '../../../src/collections/collection.js'
import { openStore } from '../../../src/collections/open-store.js'
import { randomVector, settings } from '../../fixtures/collections.js'
import { smallDisk, resizeDisk, unmount } from '../../fixtures/small-disk.js'
import type { StoreOptions } from '../../../src/collections/folder-threads.js'

const DIMENSION = 64

async function open(t: Test, options: StoreOptions) {
  const store = await openStore(options)
  const { collections } = store
  t.teardown(() => store.close())
  return {
    store,
    collections,
    create: async (name: string) =>
      (await collections.create(name, () => settings(name, { dimension: DIMENSION }))).collection
  }
}

async function fill(collection: Collection, count: number, from = 0): Promise<void> {
  const records = Array.from({ length: count }, (_, n) => ({
    id: `r${from + n}`,
    embeddings: { image: randomVector(DIMENSION), ...(n % 4 === 0 && { text: randomVector(DIMENSION) }) }
  }))
  for (let start = 0; start < count; start += 500) await collection.upsert(records.slice(start, start + 500))
}

const folders = async (dataDir: string) => (await readdir(join(dataDir, 'snapshots'))).sort()

t.test('what waits goes in first, so that a start right after builds nothing', async (t) => {
  const dataDir = t.testdir()
  const first = await openStore({ dataDir })
  const { collection } = await first.collections.create('things', () =>
    settings('things', { dimension: DIMENSION })
  )
  t.same(await collection.snapshots(), [])
  t.same(await collection.snapshot(), [], 'of an empty collection there is none')
  await fill(collection, 800)
  const before = Date.now()
  const saved = await collection.snapshot()
  t.match(saved, [
    { modality: 'image', records: 800 },
    { modality: 'text', records: 200 }
  ])
  t.ok(saved.every(({ bytes, tookMs, records }) => bytes > records * DIMENSION * 4 && tookMs > 0))
  const kept = await collection.snapshots()
  t.same(
    kept.map(({ modality, bytes }) => ({ modality, bytes })),
    saved.map(({ modality, bytes }) => ({ modality, bytes }))
  )
  t.ok(kept.every(({ createdAt }) => createdAt > before - 5000 && createdAt <= Date.now() + 5000))
  const numbers = await readdir(join(dataDir, 'snapshots', `${collection.settings.id}-image`))
  await first.close()
  t.same(
    await readdir(join(dataDir, 'snapshots', `${collection.settings.id}-image`)),
    numbers,
    'the end has nothing to save'
  )
  const progress: unknown[] = []
  const { collections } = await open(t, { dataDir, onProgress: (report) => progress.push(report) })
  t.same(progress, [])
  t.equal((await (await collections.get('things')).counts()).images, 800)
})

t.test('beside adds, searches and others who ask', async (t) => {
  const dataDir = t.testdir()
  const problems: string[] = []
  const { create } = await open(t, { dataDir, onProblem: (problem) => problems.push(problem) })
  const collection = await create('things')
  await fill(collection, 300)
  const adding = (async () => {
    for (let n = 0; n < 10; n++) await fill(collection, 100, 1000 + n * 100)
  })()
  const searching = (async () => {
    for (let n = 0; n < 50; n++)
      t.equal(
        (await collection.search(randomVector(DIMENSION), { target: 'image', limit: 5 })).matches.length,
        5
      )
  })()
  const all = await Promise.all(Array.from({ length: 6 }, () => collection.snapshot()))
  t.ok(all.every(([image]) => image.records >= 300))
  await Promise.all([adding, searching])
  t.match(await collection.snapshot(), [{ records: 1300 }, { records: 325 }])
  t.same(problems, [])
  t.ok((await readdir(join(dataDir, 'snapshots', `${collection.settings.id}-image`))).length <= 2)
})

t.test('a collection that is dropped meanwhile leaves nothing behind', async (t) => {
  const dataDir = t.testdir()
  const { collections, create } = await open(t, { dataDir })
  const other = await create('other')
  await fill(other, 50)
  await other.snapshot()
  const kept = await folders(dataDir)
  for (let round = 0; round < 5; round++) {
    const collection = await create('things')
    await fill(collection, 400)
    const saving = collection.snapshot().catch((error) => error)
    await new Promise((resolve) => setTimeout(resolve, round * 15))
    await collections.drop('things')
    const result = await saving
    t.ok(
      Array.isArray(result) || result.code === 'COLLECTION_NOT_FOUND',
      `${result.code ?? 'was saved before'}`
    )
    // One that was being written when it was dropped is swept when that ends.
    await other.snapshot()
    t.same(await folders(dataDir), kept)
    await t.rejects(collection.snapshot(), { code: 'COLLECTION_NOT_FOUND' })
  }
})

t.test('a full disk is told, and the snapshot before stays', async (t) => {
  const dataDir = await smallDisk('16m')
  if (!dataDir) return void t.pass('a disk of its own', { skip: 'no disk may be mounted here' })
  const store = await openStore({ dataDir })
  const { collections } = store
  try {
    const { collection } = await collections.create('things', () =>
      settings('things', { dimension: DIMENSION })
    )
    await fill(collection, 2000)
    await collection.snapshot()
    const kept = await collection.snapshots()
    resizeDisk(dataDir, '9m')
    let refused: { code?: string; statusCode?: number } = {}
    for (let n = 0; n < 10 && !refused.code; n++) {
      refused = await collection.snapshot().then(
        () => ({}),
        (error) => error
      )
      await fill(collection, 500, 10_000 + n * 500).catch(() => undefined)
    }
    t.match(refused, { code: 'STORAGE_FULL', statusCode: 507 })
    t.equal((await collection.snapshots()).length, kept.length)
    t.notOk(
      (await readdir(join(dataDir, 'snapshots', `${collection.settings.id}-image`))).includes('partial')
    )
    t.equal(
      (await collection.search(randomVector(DIMENSION), { target: 'image', limit: 5 })).matches.length,
      5,
      'searches answer'
    )
    resizeDisk(dataDir, '96m')
    t.match(
      await collection.snapshot(),
      [{ modality: 'image' }, { modality: 'text' }],
      'with room it is written'
    )
  } finally {
    await store.close()
    await unmount(dataDir)
  }
})

t.test('after the end there is none', async (t) => {
  const { store, create } = await open(t, { dataDir: t.testdir() })
  const collection = await create('things')
  await fill(collection, 500)
  const saving = collection.snapshot().then(
    () => 'saved',
    (error) => error.code
  )
  await store.close()
  t.ok(['saved', 'CLOSED'].includes(await saving))
})
