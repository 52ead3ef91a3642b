import plugin from 'fastify-plugin'

/** Longest refused body that is read to its end, in bytes. */
const LONGEST_BYTES = 256 << 20

/**
 * Keeps the connection of a request whose announced body is over the limit, and reads and discards the rest
 * of the body. Fastify would close the connection with the response: a client that is still sending then gets
 * a reset, and may never see the response.
 */
export const discardRefusedBodies = plugin(async (app) => {
  app.addHook('onSend', async ({ raw }, reply) => {
    if (reply.statusCode !== 413 || raw.complete) return
    if (Number(raw.headers['content-length']) <= LONGEST_BYTES) reply.removeHeader('connection')
    else reply.header('connection', 'close')
  })
  // Node discards a body that no one has begun to read. One that was read in part would block the next
  // request of its connection for ever.
  app.addHook('onResponse', async ({ raw }) => {
    if (!raw.readableEnded && !raw.destroyed) raw.resume()
  })
})
