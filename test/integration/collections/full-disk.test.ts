import { createHash } from 'node:crypto'
import { existsSync, readdirSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Collections } from '../../../src/collections/collections.js'
import { openStore } from '../../../src/collections/open-store.js'
import { randomVector, settings } from '../../fixtures/collections.js'
import { smallDisk, unmount } from '../../fixtures/small-disk.js'
import { warningsOf } from '../../../src/http/warnings.js'

const PER_WRITE = 50

const record = (n: number) => ({
  id: `r${n}`,
  text: createHash('sha512').update(String(n)).digest('hex').repeat(20),
  embeddings: { text: randomVector() }
})

/** Adds records to a collection until the disk is full; how many there are. */
async function fill(collections: Collections, name: string): Promise<number> {
  const { collection } = await collections.create(name, () => settings(name))
  for (let n = 0; ; n += PER_WRITE) {
    try {
      await collection.upsert(Array.from({ length: PER_WRITE }, (_, i) => record(n + i)))
    } catch (error) {
      if ((error as { code?: string }).code !== 'STORAGE_FULL') throw error
      return n
    }
  }
}

/** Takes what is left of a disk. */
function takeTheRest(dataDir: string): void {
  const { bavail, bsize } = statfsSync(dataDir)
  try {
    writeFileSync(join(dataDir, `rest-${bavail}`), Buffer.alloc((bavail + 1) * bsize, 1))
  } catch {
    // It holds what there was.
  }
}

t.test(
  'on a full disk records and whole collections can be deleted, which frees space for others',
  async (t) => {
    const dataDir = await smallDisk('48m')
    if (!dataDir) return void t.pass('a disk of its own', { skip: 'no disk may be mounted here' })
    const problems: string[] = []
    const store = await openStore({ dataDir, onProblem: (problem) => problems.push(problem) })
    const { collections } = store
    try {
      t.same(await warningsOf(store.health), [], 'with room there is nothing to warn of')
      await collections.create('small', () => settings('small'))
      await (await collections.get('small')).upsert([record(0)])
      const count = await fill(collections, 'large')
      takeTheRest(dataDir)
      t.equal(statfsSync(dataDir).bavail, 0)
      t.match(await warningsOf(store.health), [
        { name: 'disk_full', detail: /writes are rejected.*deletions still work/ }
      ])
      const removed = await (
        await collections.get('large')
      ).delete(Array.from({ length: 120 }, (_, n) => `r${n}`))
      t.equal(removed.filter(({ existed }) => existed).length, 120)
      t.match(await (await collections.get('large')).counts(), { records: count - 120 })
      takeTheRest(dataDir)
      t.equal(statfsSync(dataDir).bavail, 0, 'the reserve is there for the next one')

      await collections.drop('large')
      t.same(
        (await collections.list()).map(({ settings: { name } }) => name),
        ['small']
      )
      // Whether a graph was to be saved in that time is another matter.
      t.same(
        problems.filter((problem) => !problem.includes('snapshot')),
        []
      )
      t.match(await (await collections.get('small')).counts(), { records: 1 })
      await (await collections.get('small')).upsert([record(1), record(2)])
      t.ok(
        existsSync(join(dataDir, 'reserve')) ||
          statfsSync(dataDir).bavail * statfsSync(dataDir).bsize < 16 << 20,
        'the reserve is taken again where there is room'
      )
      t.ok((await fill(collections, 'again')) > 0, 'what was freed takes others')
    } finally {
      await store.close()
      t.notOk(readdirSync(dataDir).includes('semblance.db-wal'))
      await unmount(dataDir)
    }
  }
)
