import plugin from 'fastify-plugin'
import { describeError } from './error-shape.js'
import type { Metrics } from '../telemetry/metrics.js'
import type { OnStep } from '../telemetry/stages.js'
import type { RequestTrace, Traces } from '../telemetry/traces.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** Told what the time of this request goes to: for the metrics, and its trace where there is one. */
    onStep: OnStep
    trace?: RequestTrace
  }
}

/** What is asked every few seconds, by machines: not worth a trace. */
const UNTRACED = /^\/(health|metrics)/

/**
 * Gives every request a listener for its steps; where traces are made, a trace, whose id its log lines carry.
 */
export const requestSteps = plugin(
  async (app, { metrics, traces }: { metrics: Metrics; traces?: Traces }) => {
    app.decorateRequest('onStep')
    app.decorateRequest('trace')
    app.addHook('onRequest', async (request) => {
      const route = request.routeOptions.url ?? 'unknown'
      request.onStep = (step) => metrics.observeStep(step, route)
    })
    if (!traces) return
    app.addHook('onRequest', async (request, reply) => {
      const { id, method, headers, routeOptions, onStep } = request
      if (UNTRACED.test(routeOptions.url ?? '')) return
      const trace = traces.begin({
        id,
        method,
        route: routeOptions.url,
        path: request.url.split('?')[0],
        headers
      })
      request.trace = trace
      request.onStep = (step) => {
        onStep(step)
        trace.step(step)
      }
      request.log = reply.log = request.log.child({ trace_id: trace.traceId, span_id: trace.spanId })
    })
    app.addHook('onError', async ({ trace }, _, error) => trace?.fail(describeError(error)))
    app.addHook('onResponse', async ({ trace }, { statusCode }) => trace?.end(statusCode))
  }
)
