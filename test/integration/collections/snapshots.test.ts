import { appendFile, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Collection } from '../../../src/collections/collection.js'
import { openStore } from '../../../src/collections/open-store.js'
import { HnswGraph } from '../../../src/collections/hnsw-graph.js'
import { readSnapshot, writeSnapshot } from '../../../src/collections/snapshots.js'
import { DIMENSION, randomVector, settings } from '../../fixtures/collections.js'

const { hnsw } = settings('any')
const identity = { collection: 1, modality: 'image' as const, dimension: DIMENSION, hnsw }

function graphOf(labels: number): HnswGraph {
  const graph = HnswGraph.empty(DIMENSION, hnsw)
  for (let label = 1; label <= labels; label++) graph.add(label, randomVector())
  return graph
}

t.test('a graph comes back as it was, grows on, and two snapshots are kept', async (t) => {
  const dataDir = t.testdir()
  const graph = graphOf(50)
  graph.markDeleted(7)
  for (let i = 0; i < 4; i++) await writeSnapshot(dataDir, identity, graph)
  t.same((await readdir(join(dataDir, 'snapshots', '1-image'))).sort(), ['3', '4'])
  const loaded = (await readSnapshot(dataDir, identity, t.fail))!
  t.same(
    loaded.labels().sort((a, b) => a - b),
    graph.labels().sort((a, b) => a - b)
  )
  const query = randomVector()
  t.same(loaded.search(query, { k: 10, ef: 100 }).sort(), graph.search(query, { k: 10, ef: 100 }).sort())
  t.notOk(loaded.search(query, { k: 50, ef: 100 }).includes(7), 'deleted stays deleted')
  t.doesNotThrow(() => loaded.markDeleted(7), 'again is no error')
  for (let label = 51; label <= 3000; label++) loaded.add(label, randomVector())
  t.equal(loaded.count, 3000)
})

t.test('an empty graph, which hnswlib reloads with capacity 0, grows too', async (t) => {
  const dataDir = t.testdir()
  await writeSnapshot(dataDir, identity, HnswGraph.empty(DIMENSION, hnsw))
  const loaded = (await readSnapshot(dataDir, identity, t.fail))!
  t.equal(loaded.count, 0)
  loaded.add(1, randomVector())
  t.same(loaded.search(randomVector(), { k: 3, ef: 10 }), [1])
})

t.test('a damaged snapshot is passed over for the one before, or for none', async (t) => {
  const damages: Record<string, (folder: string) => Promise<unknown>> = {
    truncated: (folder) => truncate(join(folder, 'graph.hnsw'), 500),
    longer: (folder) => appendFile(join(folder, 'graph.hnsw'), 'x'),
    flipped: async (folder) => {
      const bytes = await readFile(join(folder, 'graph.hnsw'))
      bytes[bytes.length >> 1] ^= 1
      await writeFile(join(folder, 'graph.hnsw'), bytes)
    },
    'without its header': (folder) => rm(join(folder, 'header.json')),
    'without its graph': (folder) => rm(join(folder, 'graph.hnsw')),
    'with a header that is no JSON': (folder) => writeFile(join(folder, 'header.json'), '{'),
    'of a newer format': async (folder) => {
      const header = JSON.parse(await readFile(join(folder, 'header.json'), 'utf8'))
      await writeFile(join(folder, 'header.json'), JSON.stringify({ ...header, format: 99 }))
    }
  }
  for (const [name, damage] of Object.entries(damages)) {
    const dataDir = t.testdir()
    await writeSnapshot(dataDir, identity, graphOf(20))
    await writeSnapshot(dataDir, identity, graphOf(30))
    const folder = join(dataDir, 'snapshots', '1-image')
    const problems: string[] = []
    await damage(join(folder, '2'))
    const loaded = await readSnapshot(dataDir, identity, (problem) => problems.push(problem))
    t.equal(loaded?.count, 20, name)
    t.equal(problems.length, 1, problems[0])
    await damage(join(folder, '1'))
    t.equal(await readSnapshot(dataDir, identity, () => undefined), undefined, `${name}, both`)
  }
  const dataDir = t.testdir()
  await writeSnapshot(dataDir, identity, graphOf(5))
  await writeSnapshot(dataDir, identity, graphOf(5))
  t.equal(
    await readSnapshot(dataDir, { ...identity, highestLabel: 4 }, () => undefined),
    undefined,
    'of labels that the store never gave'
  )
  await writeSnapshot(dataDir, identity, graphOf(5))
  t.equal((await readSnapshot(dataDir, { ...identity, highestLabel: 5 }, t.fail))!.count, 5)
  t.equal(
    await readSnapshot(dataDir, { ...identity, hnsw: { ...hnsw, m: 8 } }, () => undefined),
    undefined,
    'of other settings'
  )
})

t.test('a snapshot that cannot be written throws and leaves the ones before', async (t) => {
  const dataDir = t.testdir()
  await writeSnapshot(dataDir, identity, graphOf(5))
  await t.rejects(
    graphOf(5).save(join(dataDir, 'nowhere', 'graph')),
    'hnswlib itself says nothing of a missing folder'
  )
  t.equal((await readSnapshot(dataDir, identity, t.fail))!.count, 5)
})

/** Adds many records in a few calls. */
async function fill(collection: Collection, count: number, from = 0): Promise<Map<string, Float32Array>> {
  const vectors = new Map(Array.from({ length: count }, (_, i) => [`r${from + i}`, randomVector()]))
  const records = [...vectors].map(([id, image]) => ({
    id,
    metadata: JSON.stringify({ n: Number(id.slice(1)) }),
    embeddings: { image }
  }))
  for (let start = 0; start < count; start += 500) await collection.upsert(records.slice(start, start + 500))
  return vectors
}

async function checkAll(t: Test, collection: Collection, vectors: Map<string, Float32Array>): Promise<void> {
  t.equal((await collection.counts()).images, vectors.size)
  let found = 0
  for (const [id, vector] of [...vectors].slice(0, 200)) {
    const { matches } = await collection.search(vector, { target: 'image', limit: 3 })
    if (matches[0]?.record.id === id) found++
  }
  t.ok(found >= Math.min(vectors.size, 200) * 0.99, `${found} of ${Math.min(vectors.size, 200)} found`)
}

t.test('a restart reads the snapshot, and what came after it from the store', async (t) => {
  const dataDir = t.testdir()
  const first = await openStore({ dataDir })
  const { collection } = await first.collections.create('things', () => settings('things'))
  const vectors = await fill(collection, 2000)
  for (let waited = 0; (await first.health.pending()) > 0 && waited < 500; waited++)
    await new Promise((resolve) => setTimeout(resolve, 20))
  await first.close()
  const folder = join(dataDir, 'snapshots', `${collection.settings.id}-image`)
  t.ok((await readdir(folder)).length > 0, 'closing leaves a snapshot')

  const problems: string[] = []
  const progress: { indexed: number; total: number }[] = []
  const second = await openStore({
    dataDir,
    onProblem: (problem) => problems.push(problem),
    onProgress: (report) => progress.push(report)
  })
  t.same([problems, progress], [[], []], 'nothing was left to build')
  await checkAll(t, await second.collections.get('things'), vectors)
  // Few changes: no new snapshot is due, and the next start finds the difference both ways.
  await (await second.collections.get('things')).delete(['r1', 'r2', 'r3'])
  for (const id of ['r1', 'r2', 'r3']) vectors.delete(id)
  for (const [id, vector] of await fill(await second.collections.get('things'), 100, 5000))
    vectors.set(id, vector)
  await second.close()
  const newest = Math.max(...(await readdir(folder)).map(Number))
  await rm(join(folder, String(newest)), { recursive: true })

  const third = await openStore({ dataDir, onProgress: (report) => progress.push(report) })
  await checkAll(t, await third.collections.get('things'), vectors)
  t.ok(progress.length > 0 && progress[0].total <= 100, `${progress[0]?.total} were built`)
  await third.close()
  await rm(join(dataDir, 'snapshots'), { recursive: true })

  const fourth = await openStore({ dataDir, onProgress: (report) => progress.push(report) })
  t.teardown(() => fourth.close())
  await checkAll(t, await fourth.collections.get('things'), vectors)
  t.equal(progress.at(-1)?.total, vectors.size, 'all were built anew')
})

t.test('a graph that is a third dead is rebuilt while it serves', async (t) => {
  const dataDir = t.testdir()
  const problems: string[] = []
  const store = await openStore({ dataDir, onProblem: (problem) => problems.push(problem) })
  const { collections } = store
  t.teardown(() => store.close())
  const { collection } = await collections.create('things', () => settings('things'))
  const vectors = await fill(collection, 3000)
  for (let waited = 0; (await store.health.pending()) > 0 && waited < 500; waited++)
    await new Promise((resolve) => setTimeout(resolve, 20))
  const gone = [...vectors.keys()].slice(0, 1500)
  await collection.delete(gone)
  for (const id of gone) vectors.delete(id)
  const searched: number[] = []
  const graph = async () =>
    (await readdir(join(dataDir, 'snapshots', `${collection.settings.id}-image`)).catch(() => [])).length
  const before = await graph()
  for (let waited = 0; waited < 400; waited++) {
    const { matches } = await collection.search(randomVector(), { target: 'image', limit: 10 })
    searched.push(matches.length)
    if (waited % 20 === 0)
      for (const [id, vector] of await fill(collection, 10, 10_000 + waited * 10)) vectors.set(id, vector)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  t.ok(
    searched.every((count) => count === 10),
    'every search was answered'
  )
  t.ok((await graph()) >= Math.max(1, before))
  await checkAll(t, collection, vectors)
  t.same(problems, [])
})
