import plugin from 'fastify-plugin'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Patience } from '../threading/batcher.js'
import type { Config } from '../config.js'
import { ClientGone, DeadlineExceeded, InvalidRequest } from '../errors.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * Whether its answer goes on for as long as the caller likes: only a deadline of the caller's own ends
     * it.
     */
    streams?: boolean
  }
  interface FastifyRequest {
    /**
     * How long the caller waits. The signal aborts when nobody does any more: with CLIENT_GONE when the
     * connection closes, DEADLINE_EXCEEDED when the time is over, CLOSED when the service can't wait for it,
     * or what the request failed by.
     */
    patience: Patience & { signal: AbortSignal }
  }
  interface FastifyInstance {
    /** Answers all requests under way with an error; what streams ends with it. */
    endRequests(reason: Error): void
    /** Answers one request under way with an error. */
    endRequest(request: FastifyRequest, reason: Error): void
  }
}

/**
 * A request that is under way. Until its handler has it, it is answered from here when it ends; afterwards by
 * the handler's error.
 */
interface UnderWay {
  controller: AbortController
  stage: 'received' | 'handled' | 'answered'
  reply: FastifyReply
}

const SHORTEST_S = 0.001
const LONGEST_S = 3600

/** The `X-Request-Timeout` of a request in milliseconds. Throws INVALID_REQUEST. */
function askedTimeoutMs(header: string | string[] | undefined): number | undefined {
  if (header === undefined) return undefined
  const seconds = /^\d{1,9}(\.\d{1,9})?$/.test(String(header)) ? Number(header) : NaN
  if (!(seconds >= SHORTEST_S && seconds <= LONGEST_S))
    throw new InvalidRequest(`X-Request-Timeout is a number of seconds from ${SHORTEST_S} to ${LONGEST_S}.`)
  return seconds * 1000
}

/**
 * Gives every request its patience, and answers 504 when it is over. Fastify's own `request.signal` follows
 * the request's `close`, which Node emits as soon as the body has been read.
 */
export const patience = plugin(async (app, { REQUEST_TIMEOUT_MS }: Config) => {
  const requests = new Map<FastifyRequest, UnderWay>()
  const end = (request: FastifyRequest, reason: Error) => {
    const underWay = requests.get(request)
    underWay?.controller.abort(reason)
    // Else its handler answers. What still comes of its body nobody wants.
    if (underWay?.stage !== 'received') return
    underWay.stage = 'answered'
    underWay.reply.header('connection', 'close').send(reason)
  }
  app.decorateRequest('patience')
  app.decorate('endRequest', end)
  app.decorate('endRequests', (reason: Error) => {
    for (const request of requests.keys()) end(request, reason)
  })
  app.addHook('onRequest', async (request, reply) => {
    const controller = new AbortController()
    request.patience = { signal: controller.signal }
    const ms =
      askedTimeoutMs(request.headers['x-request-timeout']) ??
      (request.routeOptions.config.streams ? 0 : REQUEST_TIMEOUT_MS)
    if (ms > 0) request.patience.deadline = performance.now() + ms
    const timer = ms > 0 ? setTimeout(() => end(request, new DeadlineExceeded()), ms) : undefined
    requests.set(request, { controller, stage: 'received', reply })
    reply.raw.once('close', () => {
      clearTimeout(timer)
      requests.delete(request)
      if (!reply.raw.writableFinished) controller.abort(new ClientGone())
    })
  })
  // What a request that failed in one part still has waiting is for nobody.
  app.addHook('onError', async (request, _, error) => requests.get(request)?.controller.abort(error))
  app.addHook('onSend', async (request) => {
    const underWay = requests.get(request)
    if (underWay) underWay.stage = 'answered'
  })
  app.addHook('onRoute', (route) => {
    const { handler } = route
    route.handler = function (request, reply) {
      const underWay = requests.get(request)
      // It was answered, or nobody waits any more, before it had come in.
      if (underWay?.controller.signal.aborted) return reply
      if (underWay) underWay.stage = 'handled'
      const answer: unknown = handler.call(this, request, reply)
      // What can't be stopped goes on unheard.
      return answer instanceof Promise && underWay ? Promise.race([answer, endOf(underWay)]) : answer
    }
  })
})

/**
 * Lets go of what a handler opened for its answer, when nobody waits for that any more, and throws the
 * reason: a stream that is answered too late would neither be read nor closed.
 */
export async function requireWaiting(
  { signal }: FastifyRequest['patience'],
  letGo: () => unknown
): Promise<void> {
  if (!signal.aborted) return
  await letGo()
  throw signal.reason
}

/** Rejects when a request ends before its answer is on the way. */
function endOf(underWay: UnderWay): Promise<never> {
  const { signal } = underWay.controller
  return new Promise((_, reject) => {
    const stop = () => void (underWay.stage !== 'answered' && reject(signal.reason))
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
}
