import plugin from 'fastify-plugin'
import { Closed } from '../errors.js'

/**
 * While the service closes, requests that still come on open connections are turned away with CLOSED, and
 * every answer ends its connection: a client that keeps it alive would hold the close for as long as the
 * keep-alive lasts.
 */
export const drain = plugin(async (app) => {
  let closing = false
  app.addHook('preClose', async () => {
    closing = true
  })
  app.addHook('onRequest', async ({ routeOptions }) => {
    // Whoever asks how it is gets to know that.
    if (closing && routeOptions.config?.scope !== 'open') throw new Closed()
  })
  app.addHook('onSend', async (_, reply) => {
    if (closing) reply.header('connection', 'close')
  })
})
