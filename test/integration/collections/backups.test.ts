import { existsSync } from 'node:fs'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { openBackups } from '../../../src/collections/backups/backups.js'
import { openBackup } from '../../../src/collections/backups/open-backup.js'
import { openStore } from '../../../src/collections/open-store.js'
import { imageDigest, imagePath } from '../../../src/collections/image-files.js'
import { DIMENSION, randomVector, settings } from '../../fixtures/collections.js'

const picture = (text: string) => ({ bytes: Buffer.from(text), type: 'image/png' })
const fileOf = (dataDir: string, text: string) => imagePath(dataDir, imageDigest(Buffer.from(text)))
const signal = new AbortController().signal

async function all<Row>(pages: AsyncIterable<Row[]>): Promise<Row[]> {
  const rows: Row[] = []
  for await (const page of pages) rows.push(...page)
  return rows
}

t.test('images that records let go of stay for as long as they are held, and go then', async (t) => {
  const dataDir = t.testdir()
  const store = await openStore({ dataDir })
  const { collections } = store
  const { collection } = await collections.create('things', () => settings('things'))
  const put = (id: string, text: string) =>
    collection.upsert([{ id, image: picture(text), embeddings: { image: randomVector() } }])
  await put('a', 'one')
  await put('b', 'two')
  await put('c', 'three')
  const [first, second] = [await store.images.hold(), await store.images.hold()]
  await put('a', 'another')
  await collection.delete(['b', 'c'])
  await put('d', 'three')
  for (const text of ['one', 'two', 'three']) t.ok(existsSync(fileOf(dataDir, text)), `${text} is held`)
  t.equal(await first(), true)
  t.ok(existsSync(fileOf(dataDir, 'one')), 'by the other one still')
  t.equal(await second(), true)
  t.same(
    ['one', 'two', 'three', 'another'].map((text) => existsSync(fileOf(dataDir, text))),
    [false, false, true, true],
    'what is referred to again stays'
  )
  t.equal(await second(), false, 'it holds no more')
  await store.close()
})

t.test('a backup that is stopped leaves nothing, and a second of that name waits for none', async (t) => {
  const dataDir = t.testdir()
  const store = await openStore({ dataDir })
  const { collections } = store
  const { collection } = await collections.create('things', () => settings('things'))
  for (let n = 0; n < 10; n++)
    await collection.upsert(
      Array.from({ length: 1000 }, (_, i) => ({
        id: `r${n}-${i}`,
        text: 'x'.repeat(500),
        embeddings: { image: randomVector(), text: randomVector() }
      }))
    )
  const backups = openBackups({ dataDir, ...store, service: '1.2.3' })
  const stop = new AbortController()
  const stopped = backups.make('things', { name: 'one', signal: stop.signal })
  await t.rejects(backups.make('things', { name: 'one', signal }), { code: 'BACKUP_EXISTS' })
  stop.abort(new Error('enough'))
  await t.rejects(stopped, { message: 'enough' })
  t.same(await readdir(join(dataDir, 'backups', 'things')).catch(() => []), [])
  await t.rejects(backups.make('things', { name: 'one', signal: AbortSignal.abort(new Error('never')) }), {
    message: 'never'
  })

  t.match(await backups.make('things', { name: 'one', signal }), {
    name: 'one',
    service: '1.2.3',
    records: 10_000,
    embeddings: 20_000,
    images: 0,
    lostImages: 0
  })
  const closed = backups.make('things', { name: 'two', signal })
  const many = ['three', 'four'].map((name) =>
    backups.make('things', { name, signal }).catch(({ code }) => code)
  )
  t.equal(await many[1], 'QUEUE_FULL', 'two run at a time')
  await Promise.all([backups.close(), t.rejects(closed, { code: 'CLOSED' }), many[0]])
  t.same((await readdir(join(dataDir, 'backups', 'things'))).sort(), ['one.json', 'one.sqlite'])
  await writeFile(join(dataDir, 'backups', 'things', 'one.json'), '{')
  t.same(await backups.list('things'), [], 'one of which nothing is known is none')
  await store.close()
})

t.test('a restoration is out of sight, one at a time, and gone if it is not whole', async (t) => {
  const dataDir = t.testdir()
  const first = await openStore({ dataDir })
  const { collections } = first
  const { collection } = await collections.create('things', () => settings('things'))
  await collection.upsert([{ id: 'old', image: picture('old'), embeddings: { image: randomVector() } }])
  const record = { text: 'new', metadata: '{\"n\":1}', createdAt: 5, updatedAt: 6, expiresAt: null }
  const begun = await collections.restoration(settings('things'))
  await begun.addRecords([{ id: 'new', ...record, image: picture('new') }])
  await t.rejects(
    begun.addRecords([
      { id: 'other', ...record },
      { id: 'new', ...record }
    ]),
    { code: 'BACKUP_INVALID' }
  )
  await t.rejects(
    begun.addEmbeddings([{ id: 'other', modality: 'image', vector: randomVector() }]),
    { code: 'BACKUP_INVALID' },
    'of a refused batch nothing is there'
  )
  await t.rejects(collections.restoration(settings('things')), { code: 'RESTORE_RUNNING' })
  await begun.addEmbeddings([{ id: 'new', modality: 'image', vector: randomVector() }])
  t.same(
    (await collections.list()).map(({ settings: { name } }) => name),
    ['things']
  )
  await t.rejects(begun.instate({ createdAt: 3, mayReplace: false }), { code: 'COLLECTION_EXISTS' })
  await begun.end()
  t.notOk(existsSync(fileOf(dataDir, 'new')))
  t.match(await (await collections.get('things')).get('old'), { id: 'old' })

  const second = await collections.restoration(settings('things'))
  await second.addRecords([{ id: 'new', ...record, image: picture('new') }])
  await first.close()
  const again = await openStore({ dataDir })
  t.notOk(existsSync(fileOf(dataDir, 'new')), 'the next start drops what was cut off')
  const third = await again.collections.restoration(settings('things'))
  await third.addRecords([{ id: 'new', ...record, image: picture('new') }])
  const vector = randomVector()
  await third.addEmbeddings([{ id: 'new', modality: 'image', vector }])
  const restored = await third.instate({ createdAt: 3, mayReplace: true })
  await third.end()
  t.match(restored.settings, { name: 'things', createdAt: 3 })
  t.same(await restored.get('new'), {
    id: 'new',
    text: 'new',
    metadata: { n: 1 },
    modalities: ['image'],
    image: { sha256: imageDigest(Buffer.from('new')), type: 'image/png' },
    createdAt: 5,
    updatedAt: 6,
    expiresAt: null
  })
  t.same((await again.collections.get('things')).settings, restored.settings)
  t.match(
    (
      await restored.search(vector, {
        target: 'image',
        limit: 9,
        filter: { kind: 'in', field: 'n', values: [1] }
      })
    ).matches,
    [{ record: { id: 'new' } }]
  )
  await t.rejects(collection.upsert([{ id: 'late', embeddings: { image: randomVector() } }]))
  await again.close()
})

t.test('a backup reads back what it was made of, in its order', async (t) => {
  const dataDir = t.testdir()
  const store = await openStore({ dataDir })
  const { collections } = store
  const { collection } = await collections.create('things', () => settings('things'))
  const vectors = Array.from({ length: 1200 }, () => randomVector())
  await collection.upsert(
    vectors.map((image, i) => ({
      id: `r${1200 - i}`,
      metadata: JSON.stringify({ i }),
      embeddings: { image }
    }))
  )
  await collection.patch('r7', { embeddings: { text: vectors[0] } })
  const backups = openBackups({ dataDir, ...store, service: '1.2.3' })
  await backups.make('things', { name: 'b', signal })
  const backup = await openBackup(backups.get('things', 'b').path, { maxImageBytes: 1000 })
  t.match(backup.content, {
    collection: settings('things'),
    collectionCreatedAt: collection.settings.createdAt,
    records: 1200,
    embeddings: 1201
  })
  const [records, embeddings] = [await all(backup.records()), await all(backup.embeddings())]
  t.same(
    records.map(({ id }) => id),
    vectors.map((_, i) => `r${1200 - i}`)
  )
  t.same(
    embeddings.slice(0, 1200).map(({ vector }) => vector),
    vectors
  )
  t.match(embeddings[1200], { id: 'r7', modality: 'text', vector: { length: DIMENSION } })
  await backup.close()
  await store.close()
})
