import plugin from 'fastify-plugin'

/**
 * While the service closes, answers to requests under way end their connection: a client that keeps it alive would
 * hold the close for as long as the keep-alive lasts.
 */
export const drain = plugin(async (app) => {
  let closing = false
  app.addHook('preClose', async () => {
    closing = true
  })
  app.addHook('onSend', async (_, reply) => {
    if (closing) reply.header('connection', 'close')
  })
})
