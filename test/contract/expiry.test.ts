import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { randomVector, settings } from '../fixtures/collections.js'
import { testStores } from './stores.js'

testStores(
  t,
  'what has expired is removed by itself, and what expired while nothing ran',
  async (t, opened) => {
    const bytes = Buffer.from('an image')
    const expiring = (id: string, ms: number) => ({
      id,
      expiresAt: Date.now() + ms,
      image: { bytes, type: 'image/png' },
      embeddings: { image: randomVector() }
    })
    const gone = async (collection: { counts(): Promise<{ records: number; images: number }> }) => {
      const isThere = async () => Object.values(await collection.counts()).some((count) => count > 0)
      // The store comes before the graph.
      for (let tries = 0; tries < 300 && (await isThere()); tries++) await sleep(50)
      return collection.counts()
    }
    const { collections, images } = opened.store
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const { collection } = await collections.create('things', () => settings('things'))
    await collection.upsert(Array.from({ length: 1200 }, (_, n) => expiring(`a${n}`, 300)))
    t.ok(await images.read(sha256))
    t.match(await gone(collection), { records: 0, images: 0 })
    t.equal(await images.read(sha256), undefined)
    await collection.upsert([expiring('b', 200)])
    // Reopening takes longer than it has left.
    await sleep(250)
    const again = await opened.reopen()
    t.match(await gone(await again.collections.get('things')), { records: 0, images: 0 })
  }
)
