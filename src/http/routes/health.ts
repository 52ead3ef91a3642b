import { Type, type Static } from 'typebox'
import { EXPRESS } from '../../encoder/start-towers.js'
import type { PoolState } from '../../threading/thread-pool.js'
import { WARNINGS, warningsOf } from '../warnings.js'
import { Execution, toExecutionBody } from './execution.js'
import type { App, Services } from './services.js'

const Workers = Type.Object({
  pool: Type.String(),
  model: Type.Union([Type.String(), Type.Null()], {
    description: 'Model of the workers; null for the workers of the store.'
  }),
  workers: Type.Integer(),
  alive: Type.Integer(),
  circuit: Type.Enum(['closed', 'open', 'half_open'], {
    description: 'open: the workers failed repeatedly and are restarted after a pause.'
  })
})
const Live = Type.Object({
  status: Type.Enum(['ok', 'failed']),
  failed: Type.Array(Type.String(), { description: 'Worker pools that repeatedly failed to start.' })
})
const Ready = Type.Object({
  status: Type.Enum(['ready', 'starting', 'failing', 'closing']),
  models: Type.Array(Type.Object({ name: Type.String(), execution: Execution })),
  pending: Type.Array(
    Type.Object({ task: Type.String(), progress: Type.Number({ description: '0 to 1' }) }),
    { description: 'What remains to be done.' }
  ),
  workers: Type.Array(Workers),
  warnings: Type.Array(Type.Object({ name: Type.Enum([...WARNINGS]), detail: Type.String() }), {
    description:
      'Problems that an operator should check while the service runs; the service is still ready, ' +
      'because searches are answered.'
  })
})

const tags = ['Health']

/**
 * After so many starts of workers in a row that failed, one to two minutes with the pauses between them, the
 * process is of no use: what a new one may find better (memory, a mount, a device), this one won't.
 */
const HOPELESS_STARTS = 8

/**
 * Liveness (a restart would not help) and readiness (models warm, indexes built, demo loaded, workers alive,
 * not closing).
 */
export function healthRoutes(app: App, { encoders, health, readiness }: Services): void {
  const pools = (): { model: string | null; state: PoolState }[] => [
    ...health.pools.map((state) => ({ model: null, state })),
    ...encoders.all.flatMap(({ model, pools }) => pools.map((state) => ({ model: model.name, state })))
  ]
  app.get(
    '/health/live',
    {
      config: { scope: 'open' },
      schema: { tags, operationId: 'getLive', summary: 'Is it alive?', response: { 200: Live, 503: Live } }
    },
    async (_, reply) => {
      const failed = pools()
        .filter(({ state }) => isNeeded(state) && state.failedStarts >= HOPELESS_STARTS)
        .map(({ state }) => state.name)
      return reply
        .code(failed.length === 0 ? 200 : 503)
        .send({ status: failed.length === 0 ? 'ok' : 'failed', failed })
    }
  )
  app.get(
    '/health/ready',
    {
      config: { scope: 'open' },
      schema: {
        tags,
        operationId: 'getReady',
        summary: 'Can it serve?',
        response: { 200: Ready, 503: Ready }
      }
    },
    async (_, reply) => {
      const pending = [...readiness.pending].map(([task, progress]) => ({ task, progress }))
      const models = encoders.all.map(({ model, execution }) => ({
        name: model.name,
        execution: toExecutionBody(execution)
      }))
      const all = pools()
      const isFailing = all.some(
        ({ state }) => isNeeded(state) && (state.alive === 0 || state.circuit === 'open')
      )
      const status: Static<typeof Ready>['status'] = readiness.closing
        ? 'closing'
        : pending.length > 0
          ? 'starting'
          : isFailing
            ? 'failing'
            : 'ready'
      const workers = all.map(({ model, state: { name, threads, alive, circuit } }) => ({
        pool: name,
        model,
        workers: threads,
        alive,
        circuit
      }))
      return reply
        .code(status === 'ready' ? 200 : 503)
        .send({ status, models, pending, workers, warnings: await warningsOf(health) })
    }
  )
}

/** Without the express worker requests are only slower. */
function isNeeded({ name }: PoolState): boolean {
  return name !== EXPRESS
}
