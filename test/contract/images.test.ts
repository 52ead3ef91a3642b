import { createHash } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import t from 'tap'
import type { Store } from '../../src/collections/stores/store.js'
import { randomVector, settings } from '../fixtures/collections.js'
import { testStores } from './stores.js'

const picture = (text: string) => ({ bytes: Buffer.from(text), type: 'image/png' })
const digest = (text: string) => createHash('sha256').update(text).digest('hex')

async function isKept({ images }: Store, text: string): Promise<boolean> {
  return (await images.read(digest(text))) !== undefined
}

testStores(t, 'an image is kept once for all of its records, and goes with the last', async (t, opened) => {
  const { collections, images } = opened.store
  const { collection } = await collections.create('things', () => settings('things'))
  const put = (id: string, text?: string) =>
    collection.upsert([
      { id, ...(text !== undefined && { image: picture(text) }), embeddings: { image: randomVector() } }
    ])
  await put('a', 'one')
  await put('b', 'one')
  t.same((await collection.get('a'))!.image, { sha256: digest('one'), type: 'image/png' })
  t.equal(String(await images.read(digest('one'))), 'one')
  t.equal(String(await buffer((await images.open(digest('one')))!)), 'one')
  t.equal(await images.open(digest('another')), undefined)
  await put('a')
  t.ok(await isKept(opened.store, 'one'), 'b still has it')
  t.equal((await collection.get('a'))!.image, null)
  await collection.delete(['b'])
  t.notOk(await isKept(opened.store, 'one'))
  await put('c', 'one')
  const { collection: other } = await collections.create('other', () => settings('other'))
  await other.upsert([{ id: 'x', image: picture('two'), embeddings: { image: randomVector() } }])
  await collections.drop('other')
  t.notOk(await isKept(opened.store, 'two'), 'dropped with its collection')
  const again = await opened.reopen()
  t.same(await Promise.all([isKept(again, 'one'), isKept(again, 'two')]), [true, false])
})

testStores(
  t,
  'images that records let go of stay for as long as they are held, and go then',
  async (t, { store }) => {
    const { collection } = await store.collections.create('things', () => settings('things'))
    const put = (id: string, text: string) =>
      collection.upsert([{ id, image: picture(text), embeddings: { image: randomVector() } }])
    await put('a', 'one')
    await put('b', 'two')
    await put('c', 'three')
    const [first, second] = [await store.images.hold(), await store.images.hold()]
    await put('a', 'another')
    await collection.delete(['b', 'c'])
    await put('d', 'three')
    for (const text of ['one', 'two', 'three']) t.ok(await isKept(store, text), `${text} is held`)
    t.equal(await first(), true)
    t.ok(await isKept(store, 'one'), 'by the other one still')
    t.equal(await second(), true)
    t.same(
      await Promise.all(['one', 'two', 'three', 'another'].map((text) => isKept(store, text))),
      [false, false, true, true],
      'what is referred to again stays'
    )
    t.equal(await second(), false, 'it holds no more')
  }
)
