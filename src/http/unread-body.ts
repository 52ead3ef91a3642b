import plugin from 'fastify-plugin'

/** Longest body that is read to its end although it was refused, in bytes. */
const LONGEST_BYTES = 256 << 20

/**
 * Keeps the connection of who announced a body over the limit, so that the rest of it is read and thrown
 * away. Fastify would close it with the answer: who is in the middle of sending then gets a reset, and may
 * never see the answer.
 */
export const readOn = plugin(async (app) => {
  app.addHook('onSend', async ({ raw }, reply) => {
    if (reply.statusCode !== 413 || raw.complete) return
    if (Number(raw.headers['content-length']) <= LONGEST_BYTES) reply.removeHeader('connection')
    else reply.header('connection', 'close')
  })
  // Node throws away what nobody has begun to read. A body that was begun and left would hold back the next
  // request of its connection for ever.
  app.addHook('onResponse', async ({ raw }) => {
    if (!raw.readableEnded && !raw.destroyed) raw.resume()
  })
})
