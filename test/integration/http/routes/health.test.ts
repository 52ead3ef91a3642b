import { rm, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { buildApp } from '../../../../src/http/app.js'
import { CircuitBreaker } from '../../../../src/threading/circuit-breaker.js'
import { readConfig } from '../../../../src/config.js'
import { createMetrics } from '../../../../src/telemetry/metrics.js'
import type { Services } from '../../../../src/http/routes/services.js'
import { startThreadPool } from '../../../../src/threading/thread-pool.js'

type Fragile = typeof import('../../../fixtures/fragile-worker.js')

t.test(
  'workers that die again and again make it unready, those that never come back dead, and both get over it',
  async (t) => {
    const brokenBy = `${t.testdir()}/broken`
    // Pauses of a minute pass at once: only the clock of the circuit is not the real one.
    let now = 0
    const circuit = new CircuitBreaker({ now: () => (now += 60_000), random: () => 0 })
    const threads = await startThreadPool<Fragile>(
      new URL('../../../fixtures/fragile-worker.js', import.meta.url),
      { name: 'searcher', count: 1, workerData: { brokenBy }, circuit }
    )
    t.teardown(() => threads.close())
    const parts = {
      encoders: { all: [] },
      health: {
        get pools() {
          return [threads.state]
        },
        diskSpace: async () => ({ freeBytes: 2 ** 40, hasReserve: true })
      },
      readiness: { pending: new Map(), closing: false }
    } as unknown as Services
    const app = await buildApp({
      ...parts,
      config: readConfig({}),
      metrics: createMetrics({ ...parts, keys: { size: 0, isStale: false } })
    })
    t.teardown(() => app.close())
    const health = async (of: string) => {
      const { statusCode, body } = await app.inject(`/health/${of}`)
      return { status: statusCode, body: JSON.parse(body) }
    }
    const until = async (holds: () => boolean) => {
      for (let waited = 0; !holds() && waited < 30_000; waited += 10) await sleep(10)
    }
    t.match(await health('ready'), {
      status: 200,
      body: {
        status: 'ready',
        workers: [{ pool: 'searcher', model: null, workers: 1, alive: 1, circuit: 'closed' }]
      }
    })
    await writeFile(brokenBy, '')
    await threads.call('die', undefined as never).catch(() => undefined)
    await until(() => threads.state.failedStarts > 0)
    t.match(await health('ready'), {
      status: 503,
      body: { status: 'failing', workers: [{ alive: 0, circuit: 'open' }] }
    })
    await until(() => threads.state.failedStarts >= 8)
    t.match(await health('live'), { status: 503, body: { status: 'failed', failed: ['searcher'] } })
    await rm(brokenBy)
    await until(() => threads.state.circuit !== 'open')
    t.match(await health('live'), { status: 200, body: { status: 'ok', failed: [] } })
    t.match(
      await health('ready'),
      { status: 200, body: { workers: [{ alive: 1, circuit: 'half_open' }] } },
      'on trial it must be called to be tried'
    )
    await threads.call('thread', undefined)
    t.match(await health('ready'), { body: { workers: [{ circuit: 'closed' }] } })
  }
)
