import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import SQLite from 'better-sqlite3'
import t from 'tap'
import { openStore } from '../../../src/collections/open-store.js'
import { restoredName } from '../../../src/collections/record.js'
import { openReader, openWriter } from '../../../src/collections/sqlite/connection.js'
import { MIGRATIONS } from '../../../src/collections/sqlite/migrations.js'
import { createStoreReader } from '../../../src/collections/sqlite/reads.js'
import {
  BULK_LOAD_KEPT_MS,
  createStoreWriter,
  type Write,
  type Written
} from '../../../src/collections/sqlite/writes.js'
import { startThreadPool } from '../../../src/threading/thread-pool.js'
import { randomVector, settings } from '../../fixtures/collections.js'

type Searcher = typeof import('../../../src/collections/searcher-worker.js')

t.test('a store of version 2 is brought to version 3 with all that it holds', async (t) => {
  const dataDir = t.testdir()
  const old = new SQLite(join(dataDir, 'semblance.db'))
  for (const step of MIGRATIONS.slice(0, 2)) old.exec(step)
  old.pragma('user_version = 2')
  old.exec(`
    INSERT INTO collection (name, dimension, hnsw, storage, created_at)
    VALUES ('old', 2, '{"m":16,"efConstruction":200,"efSearch":100}', 'original', 1);
    INSERT INTO record (collection, id, text, metadata, created_at, updated_at)
    VALUES (1, 'a', 'kept', '{"n":1}', 5, 6);
    INSERT INTO embedding (collection, record, modality, vector) VALUES (1, 1, 'text', x'0000803f00000000')`)
  old.close()
  const store = await openStore({ dataDir })
  const { collections } = store
  t.teardown(() => store.close())
  const collection = await collections.get('old')
  t.same(await collection.get('a'), {
    id: 'a',
    text: 'kept',
    metadata: { n: 1 },
    modalities: ['text'],
    image: null,
    createdAt: 5,
    updatedAt: 6,
    expiresAt: null
  })
  t.match(await collection.search(Float32Array.of(1, 0), { target: 'text', limit: 1 }), {
    matches: [{ record: { id: 'a' }, score: 1 }]
  })
  await collection.upsert([
    { id: 'b', expiresAt: Date.now() + 1e6, embeddings: { text: Float32Array.of(0, 1) } }
  ])
  t.ok((await collection.get('b'))!.expiresAt)
  t.equal(openReader(dataDir).pragma('user_version', { simple: true }), 6)
})

t.test('what is being restored keeps what has expired until it is whole', async (t) => {
  const db = openWriter(t.testdir())
  t.teardown(() => db.close())
  const writer = createStoreWriter(db, () => 1000)
  const write = (write: Write) => writer.commit([write]).answers[0] as Written
  const { created: collection } = write({ kind: 'create', settings: settings(restoredName('things')) })
  write({
    kind: 'restore',
    collection: collection!,
    records: [{ id: 'a', text: null, metadata: null, createdAt: 1, updatedAt: 1, expiresAt: 5 }]
  })
  t.same(write({ kind: 'expire', limit: 10 }).expired, [])
  t.match(
    write({
      kind: 'embed',
      collection: collection!,
      embeddings: [{ id: 'a', modality: 'image', vector: randomVector() }]
    }),
    { changes: [{ added: [{ modality: 'image' }] }] }
  )
  write({ kind: 'instate', collection: collection!, name: 'things', createdAt: 1, mayReplace: false })
  t.match(write({ kind: 'expire', limit: 10 }).expired, [{ changes: [{ gone: true }] }], 'then it goes')
})

t.test('by a clock that is set: what has expired is gone to every read and write', async (t) => {
  const db = openWriter(t.testdir())
  t.teardown(() => db.close())
  let time = 1_000_000
  const now = () => time
  const reader = createStoreReader(db, now)
  const writer = createStoreWriter(db, now)
  const write = (write: Write) => writer.commit([write])
  const { created: collection } = write({ kind: 'create', settings: settings('things') })
    .answers[0] as Written
  const image = { sha256: 'e'.repeat(64), type: 'image/png', bytes: 9 }
  const upsert = (id: string, expiresAt?: number) =>
    (
      write({
        kind: 'upsert',
        collection: collection!,
        records: [
          { id, expiresAt, image, metadata: JSON.stringify({ id }), embeddings: { image: randomVector() } }
        ]
      }).answers[0] as Written
    ).changes[0]
  const patch = (id: string, expiresAt: number | null) =>
    write({ kind: 'patch', collection: collection!, id, patch: { expiresAt, embeddings: {} } }).answers[0]
  const of = collection!.id

  upsert('lasting')
  const {
    key,
    added: [{ label }]
  } = upsert('passing', time + 1000)
  time += 999
  t.match(reader.record(of, 'passing'), { id: 'passing', expiresAt: 1_001_000 })
  t.equal(reader.idByLabel(label), 'passing')
  t.same(
    reader.page(of, { limit: 9 }).map(({ id }) => id),
    ['lasting', 'passing']
  )
  time += 1
  t.equal(reader.record(of, 'passing'), undefined)
  t.same(
    [
      reader.recordByLabel(label),
      reader.recordByKey(key),
      reader.idByLabel(label),
      reader.idByKey(key),
      reader.versionByKey(key)
    ],
    Array(5).fill(undefined)
  )
  t.same(reader.embeddingsOf(of, 'passing'), {})
  t.same(reader.page(of, { limit: 1, after: 'lasting' }), [])
  t.match(patch('passing', null), { failure: { code: 'RECORD_NOT_FOUND' } })

  t.test('written again before the sweep it is a new one', async (t) => {
    const change = upsert('passing', time + 500)
    t.match(change, { key, existed: false, removed: [{ label }], added: [{}] })
    t.match(reader.record(of, 'passing'), { createdAt: time, expiresAt: time + 500 })
    t.equal((patch('passing', time + 5000) as Written).changes[0].existed, true)
    time += 500
    t.match(reader.record(of, 'passing'), { expiresAt: time + 4500 })
    patch('passing', null)
    time += 1e6
    t.match(reader.record(of, 'passing'), { expiresAt: null })
    upsert('passing', time + 500)
    t.equal(upsert('passing').existed, true)
    t.match(reader.record(of, 'passing'), { expiresAt: null }, 'an upsert without it removes it')
  })

  t.test('deleted before the sweep it was not there, and its row goes', (t) => {
    upsert('deleted', time + 1)
    time += 1
    t.match(write({ kind: 'delete', collection: collection!, ids: ['deleted'] }).answers[0], {
      changes: [{ existed: false, gone: true, removed: [{}] }]
    })
    t.equal(db.prepare("SELECT count(*) FROM record WHERE id = 'deleted'").pluck().get(), 0)
    t.end()
  })

  t.test('the sweep removes what is due in batches, the oldest first, and releases images', async (t) => {
    for (const n of [3, 1, 2]) upsert(`due${n}`, time + n)
    upsert('not due', time + 100)
    time += 10
    t.equal(reader.counts(of)!.records, 6, 'counts have them until then')
    const first = write({ kind: 'expire', limit: 2 })
    t.match(first.answers[0], {
      expired: [{ collection: of, changes: [{ gone: true, removed: [{ modality: 'image' }] }, {}] }]
    })
    t.equal((first.answers[0] as Written).expired![0].changes.length, 2)
    t.equal(db.prepare("SELECT group_concat(id) FROM record WHERE id LIKE 'due%'").pluck().get(), 'due3')
    t.equal((write({ kind: 'expire', limit: 2 }).answers[0] as Written).expired![0].changes.length, 1)
    t.same((write({ kind: 'expire', limit: 2 }).answers[0] as Written).expired, [])
    t.same(first.orphanedImages, [], 'others refer to the same image')
    write({ kind: 'delete', collection: collection!, ids: ['lasting', 'passing'] })
    time += 100
    t.same(write({ kind: 'expire', limit: 2 }).orphanedImages, [image.sha256])
    t.equal(reader.counts(of)!.records, 0)
  })

  t.test(
    'bulk loads are known for seven days after their last step, and go with their collection',
    async (t) => {
      const step = (key: string, from: number, lines: number) =>
        write({
          kind: 'upsert',
          collection: collection!,
          records: [],
          load: { key, from, lines, digest: 'd', failed: [{ line: lines, body: '{}' }], completed: false }
        }).answers[0]
      step('a', 0, 5)
      t.match(step('a', 0, 5), { failure: { code: 'BULK_LOAD_RUNNING' } }, 'a step follows on the last one')
      time += BULK_LOAD_KEPT_MS / 2
      step('a', 5, 9)
      t.match(reader.bulkLoad(of, 'a'), { lines: 9, failed: 2, completed: false })
      t.same(
        reader.failedLines(of, 'a').map(({ line }) => line),
        [5, 9]
      )
      time += BULK_LOAD_KEPT_MS
      write({ kind: 'expire', limit: 1 })
      t.match(reader.bulkLoad(of, 'a'), { lines: 9 })
      time += 1
      write({ kind: 'expire', limit: 1 })
      t.equal(reader.bulkLoad(of, 'a'), undefined)
      t.same(reader.failedLines(of, 'a'), [])
      step('b', 0, 1)
      write({ kind: 'drop', collection: collection! })
      t.equal(
        db
          .prepare('SELECT (SELECT count(*) FROM bulk_load) + (SELECT count(*) FROM bulk_load_failure)')
          .pluck()
          .get(),
        0
      )
    }
  )
})

t.test('a replaced collection hands its loads and its ends on', async (t) => {
  const db = openWriter(t.testdir())
  t.teardown(() => db.close())
  const [writer, reader] = [createStoreWriter(db), createStoreReader(db)]
  const create = (name: string) =>
    (writer.commit([{ kind: 'create', settings: settings(name) }]).answers[0] as Written).created!
  const [old, next] = [create('things'), create('things#next')]
  const expiresAt = Date.now() + 1e6
  const load = { key: 'k', from: 0, lines: 1, digest: 'd', failed: [], completed: true }
  writer.commit([
    {
      kind: 'upsert',
      collection: old,
      records: [{ id: 'a', expiresAt, embeddings: { image: randomVector() } }],
      load
    }
  ])
  const [{ key, updatedAt }] = reader.compare(old.id, next.id, { limit: 1 })
  writer.commit([
    {
      kind: 'copy',
      collection: old,
      into: next,
      records: [{ key, updatedAt, embeddings: { image: randomVector() } }]
    }
  ])
  t.match(writer.commit([{ kind: 'replace', collection: old, by: next }]).answers, [{ replaced: true }])
  t.match(reader.record(next.id, 'a'), { expiresAt })
  t.match(reader.bulkLoad(next.id, 'k'), { lines: 1, created: 1, completed: true })
  t.equal(reader.bulkLoad(old.id, 'k'), undefined)
})

t.test('no search, list or filter sees what has expired while no sweep runs', async (t) => {
  const dataDir = t.testdir()
  const db = openWriter(dataDir)
  const writer = createStoreWriter(db)
  const { created: collection } = writer.commit([{ kind: 'create', settings: settings('things') }])
    .answers[0] as Written
  // Long enough for a slow machine to start the searcher and search once.
  const expiresAt = Date.now() + 5000
  const center = randomVector()
  const near = () => {
    const vector = randomVector().map((value, d) => 0.2 * value + center[d])
    return vector.map((value) => value / Math.hypot(...vector))
  }
  // The nearest ones are those that expire, so that a search must go past them.
  const records = [
    ...Array.from({ length: 200 }, (_, n) => ({
      id: `passing${n}`,
      expiresAt,
      metadata: '{"kind":"a"}',
      embeddings: { image: near(), text: near() }
    })),
    ...Array.from({ length: 30 }, (_, n) => ({
      id: `lasting${n}`,
      metadata: '{"kind":"a"}',
      embeddings: { image: randomVector(), text: randomVector() }
    }))
  ]
  writer.commit([{ kind: 'upsert', collection: collection!, records }])
  const searcher = await startThreadPool<Searcher>(
    new URL('../../../src/collections/searcher-worker.js', import.meta.url),
    { name: 'searcher', count: 1, workerData: { dataDir }, callsPerThread: 100 }
  )
  t.teardown(async () => {
    await searcher.call('stop', undefined)
    await searcher.close()
    db.close()
  })
  while ((await searcher.call('pending', undefined)) > 0) await sleep(10)
  const { id: of } = collection!
  const filter = { kind: 'in', field: 'kind', values: ['a'] } as const
  const search = async (options: object) =>
    (
      await searcher.call('search', { collection: of, target: 'image', query: center, limit: 20, ...options })
    ).matches.map(({ record }) => record.id)
  t.ok((await search({})).every((id) => id.startsWith('passing')))
  await sleep(Math.max(0, expiresAt - Date.now()) + 1)
  for (const options of [
    {},
    { exact: true },
    { filter: { ...filter, values: ['a'] } },
    { target: 'text' },
    { target: 'record' },
    { offset: 5, limit: 15 }
  ]) {
    const ids = await search(options)
    t.equal(ids.length, 'offset' in options ? 15 : 20, `a full page for ${JSON.stringify(options)}`)
    t.ok(ids.every((id) => id.startsWith('lasting')))
  }
  t.equal((await searcher.call('list', { collection: of, limit: 1000 })).length, 30)
  t.equal(
    (await searcher.call('list', { collection: of, limit: 1000, filter: { ...filter, values: ['a'] } }))
      .length,
    30
  )
  t.equal(
    (await searcher.call('select', { collection: of, filter: { ...filter, values: ['a'] } })).updatedAt
      .length,
    30
  )
  t.equal(await searcher.call('read', { operation: 'record', args: [of, 'passing1'] }), undefined)
  t.same(await searcher.call('read', { operation: 'embeddingsOf', args: [of, 'passing1'] }), {})
})

t.test('a sweep that fails says so once, and continues', async (t) => {
  const dataDir = t.testdir()
  const problems: string[] = []
  const store = await openStore({ dataDir, onProblem: (problem) => problems.push(problem) })
  const { collections } = store
  t.teardown(() => store.close())
  const { collection } = await collections.create('things', () => settings('things'))
  // A trigger of a connection beside it, as a disk that refuses would.
  const db = new SQLite(join(dataDir, 'semblance.db'))
  db.exec("CREATE TRIGGER refuse BEFORE DELETE ON record BEGIN SELECT RAISE(ABORT, 'no'); END")
  await collection.upsert([{ id: 'a', expiresAt: Date.now() + 1, embeddings: { image: randomVector() } }])
  for (let tries = 0; tries < 300 && problems.length === 0; tries++) await sleep(50)
  await sleep(3500)
  t.match(problems, [/expired records could not be removed/])
  t.equal(problems.length, 1)
  t.equal(await collection.get('a'), undefined)
  db.exec('DROP TRIGGER refuse')
  db.close()
  for (let tries = 0; tries < 300 && (await collection.counts()).records > 0; tries++) await sleep(50)
  t.match(await collection.counts(), { records: 0 })
})
