import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { testServer } from '../../../fixtures/server.js'
import { fillDisk, smallDisk, unmount } from '../../../fixtures/small-disk.js'

const DIMENSION = 1024
const TYPE = { headers: { 'content-type': 'application/vnd.sqlite3' } }

t.test('a full disk refuses backups and restores, and nothing of them is left', async (t) => {
  const dataDir = await smallDisk('64m')
  if (!dataDir) return void t.pass('a disk of its own', { skip: 'no disk may be mounted here' })
  const { api, close } = await testServer(t, { DATA_DIR: dataDir })
  try {
    await api('PUT', '/v1/collections/things', { model: null, dimension: DIMENSION })
    for (let n = 0; n < 10; n++)
      await api('POST', '/v1/collections/things/records', {
        records: Array.from({ length: 200 }, (_, i) => ({
          id: `r${n}-${i}`,
          embeddings: { image: Array.from({ length: DIMENSION }, (_, d) => (d === i ? 1 : 0.01)) }
        }))
      })
    // No snapshot of the index may begin or end once the disk is full.
    await api('POST', '/v1/collections/things/snapshot')
    const { bytes } = (await api('POST', '/v1/collections/things/backups', { name: 'whole' })).body
    const file = await readFile(join(dataDir, 'backups', 'things', 'whole.sqlite'))
    await fillDisk(dataDir, bytes >> 2)

    t.match(await api('POST', '/v1/collections/things/backups', { name: 'half' }), {
      status: 507,
      body: { error: { code: 'STORAGE_FULL' } }
    })
    t.same((await readdir(join(dataDir, 'backups', 'things'))).sort(), ['whole.json', 'whole.sqlite'])
    t.match(await api('POST', '/v1/collections/copy/restore', file, TYPE), {
      status: 507,
      body: { error: { code: 'STORAGE_FULL' } }
    })
    t.same(await readdir(join(dataDir, 'backups', '.uploads')), [])
    t.match(await api('POST', '/v1/collections/copy/restore', { backup: 'whole', from: 'things' }), {
      status: 507,
      body: { error: { code: 'STORAGE_FULL' } }
    })
    t.match(await api('GET', '/v1/collections/copy'), { status: 404 })
    t.match(
      await api('POST', '/v1/collections/things/search', { query: { record: 'r3-7' }, limit: 1 }),
      { status: 200, body: { matches: [{}] } },
      'searches go on'
    )

    await rm(join(dataDir, 'filler'))
    t.match(
      await api('POST', '/v1/collections/copy/restore', { backup: 'whole', from: 'things' }),
      { status: 200, body: { records: 2000 } },
      'with room it goes well, whatever was left before'
    )
    t.same(
      (await api('GET', '/v1/collections')).body.collections.map(({ name }: { name: string }) => name),
      ['copy', 'things']
    )
  } finally {
    await close()
    await unmount(dataDir)
  }
})
