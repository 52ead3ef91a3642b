import type { FastifyReply } from 'fastify'
import type { App, Services } from './services.js'

/** Prometheus metrics, and the duration of every request. */
export function metricsRoutes(app: App, { metrics }: Services): void {
  app.get(
    '/metrics',
    {
      config: { everyCollection: true },
      schema: {
        tags: ['Health'],
        operationId: 'getMetrics',
        summary: 'Prometheus metrics',
        response: {
          200: {
            description: 'The metrics in text format.',
            content: { 'text/plain': { schema: { type: 'string' } } }
          }
        }
      }
    },
    async (_, typedReply) => {
      const reply: FastifyReply = typedReply
      const { text, type } = await metrics.render()
      return reply.type(type).send(text)
    }
  )
}
