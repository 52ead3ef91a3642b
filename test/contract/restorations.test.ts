import { createHash } from 'node:crypto'
import t from 'tap'
import { randomVector, settings } from '../fixtures/collections.js'
import { testStores } from './stores.js'

const picture = (text: string) => ({ bytes: Buffer.from(text), type: 'image/png' })
const sha256 = createHash('sha256').update('new').digest('hex')

testStores(
  t,
  'a restoration is out of sight, one at a time, and gone if it is not whole',
  async (t, opened) => {
    const { collections, images } = opened.store
    const { collection } = await collections.create('things', () => settings('things'))
    await collection.upsert([{ id: 'old', image: picture('old'), embeddings: { image: randomVector() } }])
    const record = { text: 'new', metadata: '{"n":1}', createdAt: 5, updatedAt: 6, expiresAt: null }
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
    t.equal(await images.read(sha256), undefined)
    t.match(await (await collections.get('things')).get('old'), { id: 'old' })

    const second = await collections.restoration(settings('things'))
    await second.addRecords([{ id: 'new', ...record, image: picture('new') }])
    const again = await opened.reopen()
    t.equal(await again.images.read(sha256), undefined, 'the next start drops what was cut off')
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
      image: { sha256, type: 'image/png' },
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
  }
)
