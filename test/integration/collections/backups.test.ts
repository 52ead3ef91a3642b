import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { openBackups } from '../../../src/collections/backups/backups.js'
import { openBackup } from '../../../src/collections/backups/open-backup.js'
import { openStore } from '../../../src/collections/open-store.js'
import { DIMENSION, randomVector, settings } from '../../fixtures/collections.js'

const signal = new AbortController().signal

async function all<Row>(pages: AsyncIterable<Row[]>): Promise<Row[]> {
  const rows: Row[] = []
  for await (const page of pages) rows.push(...page)
  return rows
}

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
