import plugin from 'fastify-plugin'
import { ClientGone } from './errors.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** Aborts with CLIENT_GONE when the connection closes before the answer is out. */
    gone: AbortSignal
  }
}

/**
 * Gives every request a signal for work that nobody waits for any more. Fastify's own `request.signal` follows the
 * request's `close`, which Node emits as soon as the body has been read.
 */
export const clientGone = plugin(async (app) => {
  app.decorateRequest('gone')
  app.addHook('onRequest', async (request, { raw: response }) => {
    const controller = new AbortController()
    request.gone = controller.signal
    response.once('close', () => {
      if (!response.writableFinished) controller.abort(new ClientGone())
    })
  })
})
