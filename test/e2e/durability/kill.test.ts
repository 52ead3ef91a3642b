import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { client } from '../../fixtures/server.js'
import { startProcess, whenReady } from '../../fixtures/service.js'
import { collectionLoad } from './collection-load.js'
import { damageSnapshots } from './damage.js'
import { recordLoad } from './record-load.js'
import { reindexLoad } from './reindex-load.js'
import { restoreLoad } from './restore-load.js'
import { uniform } from '../../fixtures/random.js'

/** DURABILITY_ROUNDS=200 for the long run. */
const ROUNDS = Number(process.env.DURABILITY_ROUNDS ?? 6)
const ENV = {
  DEMO: 'false',
  LOG_LEVEL: 'info',
  TEXT_BATCH_SIZE: '8',
  IMAGE_BATCH_SIZE: '1',
  MODELS_DIR: fileURLToPath(new URL('../../fixtures/towers', import.meta.url)),
  MODELS: 'clip,openclip'
}

t.test(
  'kill -9 under every kind of write, with snapshots damaged in between',
  { timeout: 60_000 + ROUNDS * 30_000 },
  async (t) => {
    const dataDir = t.testdir()
    const kinds = {
      records: recordLoad(['a', 'b', 'c']),
      collections: collectionLoad(),
      're-indexed texts': reindexLoad(['clip', 'openclip']),
      restores: restoreLoad()
    }
    const loads = Object.values(kinds)
    const damages = new Map<string, number>()
    for (let round = 0; round <= ROUNDS; round++) {
      const service = await startProcess(t, { DATA_DIR: dataDir, ...ENV })
      await whenReady(service.url)
      const api = client(service.url)
      for (const load of loads) await (round === 0 ? load.prepare(api) : load.check(t, api))
      if (round === ROUNDS) {
        service.child.kill('SIGTERM')
        t.equal(await service.ended, 0)
        break
      }
      const running = loads.map((load) => load.run({ api, url: service.url }))
      await sleep(500 + uniform() * 3500)
      service.child.kill('SIGKILL')
      await service.ended
      await Promise.all(running)
      for (const kind of await damageSnapshots(dataDir)) damages.set(kind, (damages.get(kind) ?? 0) + 1)
    }
    for (const [kind, load] of Object.entries(kinds))
      t.ok(load.acknowledged() >= ROUNDS, `${kind}: ${load.acknowledged()} changes were acknowledged`)
    t.comment(
      `${ROUNDS} rounds; acknowledged: ${Object.entries(kinds)
        .map(([kind, load]) => `${kind} ${load.acknowledged()}`)
        .join(', ')}; snapshots ${[...damages].map(([kind, count]) => `${kind} ${count}`).join(', ')}`
    )
  }
)
