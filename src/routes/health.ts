import { Type } from 'typebox'
import { Execution, toExecutionBody } from './execution.js'
import type { App, Services } from './services.js'

const Live = Type.Object({ status: Type.Literal('ok') })
const Ready = Type.Object({
  status: Type.Enum(['ready', 'starting']),
  models: Type.Array(Type.Object({ name: Type.String(), execution: Execution })),
  pending: Type.Array(Type.Object({ task: Type.String(), progress: Type.Number({ description: '0 to 1' }) }), { description: 'What is still to be done.' })
})

const tags = ['Health']

/** Liveness (the process answers) and readiness (models warm, indexes built, demo loaded). */
export function healthRoutes(app: App, { encoders, readiness }: Services): void {
  app.get('/health/live', { config: { scope: 'open' }, schema: { tags, operationId: 'getLive', summary: 'Is it alive?', response: { 200: Live } } }, async () => ({ status: 'ok' as const }))
  app.get('/health/ready', { config: { scope: 'open' }, schema: { tags, operationId: 'getReady', summary: 'Can it serve?', response: { 200: Ready, 503: Ready } } }, async (_, reply) => {
    const pending = [...readiness.pending].map(([task, progress]) => ({ task, progress }))
    const models = encoders.all.map(({ model, execution }) => ({ name: model.name, execution: toExecutionBody(execution) }))
    return reply.code(pending.length === 0 ? 200 : 503).send({ status: pending.length === 0 ? 'ready' : 'starting', models, pending })
  })
}
