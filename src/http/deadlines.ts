import plugin from 'fastify-plugin'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { CallOptions } from '../threading/call-options.js'
import type { Config } from '../config.js'
import { ClientGone, DeadlineExceeded, InvalidRequest } from '../errors.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * Whether its answer continues for as long as the caller likes: only a deadline of the caller's own ends
     * it.
     */
    streams?: boolean
  }
  interface FastifyRequest {
    /**
     * How long the client waits. The signal aborts with CLIENT_GONE when the connection closes, with
     * DEADLINE_EXCEEDED when the time is over, with CLOSED when the service stops, or with the error of the
     * request.
     */
    callOptions: CallOptions & { signal: AbortSignal }
  }
  interface FastifyInstance {
    /** Responds to all open requests with an error; streams end with it. */
    endRequests(reason: Error): void
    /** Responds to one open request with an error. */
    endRequest(request: FastifyRequest, reason: Error): void
  }
}

/**
 * A request that has no response yet. Until its handler is called, the plugin responds when the request ends;
 * afterwards the error of the handler does.
 */
interface ActiveRequest {
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
    throw new InvalidRequest(
      `X-Request-Timeout must be a number of seconds from ${SHORTEST_S} to ${LONGEST_S}.`
    )
  return seconds * 1000
}

/**
 * Sets the call options of every request, and responds with 504 when its deadline is over. The
 * `request.signal` of Fastify follows the `close` event of the request, which Node emits as soon as the body
 * has been read.
 */
export const deadlines = plugin(async (app, { REQUEST_TIMEOUT_MS }: Config) => {
  const requests = new Map<FastifyRequest, ActiveRequest>()
  const end = (request: FastifyRequest, reason: Error) => {
    const active = requests.get(request)
    active?.controller.abort(reason)
    // Otherwise its handler responds. The rest of the body is not needed.
    if (active?.stage !== 'received') return
    active.stage = 'answered'
    active.reply.header('connection', 'close').send(reason)
  }
  app.decorateRequest('callOptions')
  app.decorate('endRequest', end)
  app.decorate('endRequests', (reason: Error) => {
    for (const request of requests.keys()) end(request, reason)
  })
  app.addHook('onRequest', async (request, reply) => {
    const controller = new AbortController()
    request.callOptions = { signal: controller.signal }
    const ms =
      askedTimeoutMs(request.headers['x-request-timeout']) ??
      (request.routeOptions.config.streams ? 0 : REQUEST_TIMEOUT_MS)
    if (ms > 0) request.callOptions.deadline = performance.now() + ms
    const timer = ms > 0 ? setTimeout(() => end(request, new DeadlineExceeded()), ms) : undefined
    requests.set(request, { controller, stage: 'received', reply })
    reply.raw.once('close', () => {
      clearTimeout(timer)
      requests.delete(request)
      if (!reply.raw.writableFinished) controller.abort(new ClientGone())
    })
  })
  // After an error, other work of the same request is not needed.
  app.addHook('onError', async (request, _, error) => requests.get(request)?.controller.abort(error))
  app.addHook('onSend', async (request) => {
    const active = requests.get(request)
    if (active) active.stage = 'answered'
  })
  app.addHook('onRoute', (route) => {
    const { handler } = route
    route.handler = function (request, reply) {
      const active = requests.get(request)
      // It was answered, or its client left, before its body was complete.
      if (active?.controller.signal.aborted) return reply
      if (active) active.stage = 'handled'
      const answer: unknown = handler.call(this, request, reply)
      // The result of work that can't be stopped is ignored.
      return answer instanceof Promise && active ? Promise.race([answer, endOf(active)]) : answer
    }
  })
})

/**
 * Throws the reason of a request whose signal has aborted, after closing what its handler opened for the
 * response: a stream that is sent too late would neither be read nor closed.
 */
export async function throwIfAborted(
  { signal }: FastifyRequest['callOptions'],
  close: () => unknown
): Promise<void> {
  if (!signal.aborted) return
  await close()
  throw signal.reason
}

/** Rejects when a request ends before its response has begun. */
function endOf(active: ActiveRequest): Promise<never> {
  const { signal } = active.controller
  return new Promise((_, reject) => {
    const stop = () => void (active.stage !== 'answered' && reject(signal.reason))
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
}
