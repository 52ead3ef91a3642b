import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { solid } from '../fixtures/images.js'
import { client, type Api } from '../fixtures/server.js'
import { startProcess } from '../fixtures/service.js'
import { uniform } from '../fixtures/random.js'

const ROUNDS = 3
const RECORDS = 2000
const IMAGES = 40
const SETS = ['a', 'b']

async function fill(api: Api, set: string): Promise<void> {
  await api('PUT', '/v1/collections/things', { model: null, dimension: 8 })
  const images = await Promise.all(
    Array.from({ length: IMAGES }, async (_, n) =>
      (await solid('red', { width: 10 + n, height: set === 'a' ? 20 : 21 })).toString('base64')
    )
  )
  for (let start = 0; start < RECORDS; start += 250) {
    const records = Array.from({ length: 250 }, (_, i) => ({
      id: `${set}${start + i}`,
      metadata: { set },
      embeddings: { image: [1, 2, 3, 4, 5, 6, 7, start + i] },
      ...(start + i < IMAGES && { image: { base64: images[start + i] } })
    }))
    await api('POST', '/v1/collections/things/records', { records })
  }
}

t.test(
  'kill -9 during restores leaves the old collection or the new one, and during backups a whole one or none',
  async (t) => {
    const dataDir = t.testdir()
    const start = () => startProcess(t, { DATA_DIR: dataDir, DEMO: 'false' })
    let service = await start()
    let api = client(service.url)
    for (const set of SETS) {
      await fill(api, set)
      t.match(await api('POST', '/v1/collections/things/backups', { name: set }), {
        status: 201,
        body: { records: RECORDS, images: IMAGES }
      })
      await api('DELETE', '/v1/collections/things')
    }
    const began = performance.now()
    t.match(await api('POST', '/v1/collections/things/restore', { backup: 'a' }), { status: 200 })
    const lasts = performance.now() - began

    let there = 'a'
    let kills = 0
    for (let round = 0; round < ROUNDS; round++) {
      const next = there === 'a' ? 'b' : 'a'
      let acknowledged = false
      const restoring = api('POST', '/v1/collections/things/restore?replace=true', { backup: next }).then(
        ({ status }) => (acknowledged = status === 200),
        () => undefined
      )
      const made = api('POST', '/v1/collections/things/backups', { name: `round${round}` }).then(
        ({ status }) => status === 201,
        () => false
      )
      // Early, in the middle and late, so that some cut a restore off.
      await sleep(((round + uniform()) / ROUNDS) * lasts * 1.3)
      service.child.kill('SIGKILL')
      t.equal(await service.ended, 'SIGKILL')
      await restoring
      if (!acknowledged) kills++
      service = await start()
      api = client(service.url)
      const { body } = await api('GET', '/v1/collections/things')
      const {
        body: { matches }
      } = await api('POST', '/v1/collections/things/search', {
        query: { embedding: [1, 2, 3, 4, 5, 6, 7, 8] },
        limit: 1000,
        exact: true
      })
      const sets = new Set(matches.map(({ metadata }: { metadata: { set: string } }) => metadata.set))
      t.match(body, { records: RECORDS, images: RECORDS })
      t.equal(sets.size, 1, 'one of the two, whole')
      const [now] = [...sets] as string[]
      if (acknowledged) t.equal(now, next, 'what was acknowledged stays')
      there = now
      t.same(
        (await api('GET', '/v1/collections')).body.collections.map(({ name }: { name: string }) => name),
        ['things']
      )
      t.equal((await readdir(join(dataDir, 'images'))).length, IMAGES, 'and its images alone')
      const files = await readdir(join(dataDir, 'backups', 'things'))
      t.notOk(
        files.some((name) => name.endsWith('.partial')),
        'no half backup'
      )
      const wasMade = await made
      const {
        body: { backups }
      } = await api('GET', '/v1/collections/things/backups')
      if (wasMade) t.ok(backups.some(({ name }: { name: string }) => name === `round${round}`))
      if (files.includes(`round${round}.sqlite`))
        t.match(
          await api('POST', '/v1/collections/copy/restore', { backup: `round${round}`, from: 'things' }),
          { status: 200, body: { records: RECORDS } },
          'a backup that is there is whole'
        )
      await api('DELETE', '/v1/collections/copy')
    }
    t.ok(kills > 0, `${kills} of ${ROUNDS} restores were cut off`)
  }
)
