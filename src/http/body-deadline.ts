import plugin from 'fastify-plugin'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../config.js'
import { BodyTimeout } from '../errors.js'

/** Bytes for each of which a body is given a second's wait back. */
const BYTES_A_SECOND = 1024
/** How often bodies are looked at, in milliseconds, at most. */
const LOOK_MS = 1000

/** A body that is on its way. */
interface Coming {
  reply: FastifyReply
  /** How long it may still be waited for, in milliseconds. */
  leftMs: number
  /** Bytes that had come of its connection. */
  bytes: number
}

/**
 * Ends requests whose bodies do not come: each may be waited for as long as BODY_TIMEOUT_MS, and gets a
 * second back for each kilobyte that came. Only the time counts in which the service waits for the client,
 * not that in which it lets the client wait.
 */
export const bodyDeadline = plugin(
  async (app, { BODY_TIMEOUT_MS: allowanceMs }: Pick<Config, 'BODY_TIMEOUT_MS'>) => {
    if (allowanceMs === 0) return
    const coming = new Map<FastifyRequest, Coming>()
    let lookedAt = performance.now()
    const look = () => {
      const waitedMs = performance.now() - lookedAt
      lookedAt = performance.now()
      for (const [request, body] of coming) {
        const { raw } = request
        if (raw.complete || raw.destroyed) {
          coming.delete(request)
          continue
        }
        const { bytesRead } = raw.socket
        // What lies here unread is what the client waits for.
        const isOurs = raw.readableLength > 0 || raw.isPaused()
        body.leftMs = Math.min(
          allowanceMs,
          body.leftMs + ((bytesRead - body.bytes) / BYTES_A_SECOND) * 1000 - (isOurs ? 0 : waitedMs)
        )
        body.bytes = bytesRead
        if (body.leftMs > 0) continue
        coming.delete(request)
        // What still trickles in must not keep the connection.
        body.reply.raw.once('finish', () => void raw.socket.destroySoon())
        app.endRequest(request, new BodyTimeout(allowanceMs / 1000, BYTES_A_SECOND))
      }
    }
    const timer = setInterval(look, Math.min(LOOK_MS, allowanceMs / 4)).unref()
    app.addHook('onClose', async () => clearInterval(timer))
    app.addHook('onRequest', async (request, reply) => {
      if (
        request.raw.complete ||
        (!request.headers['transfer-encoding'] && !Number(request.headers['content-length']))
      )
        return
      coming.set(request, { reply, leftMs: allowanceMs, bytes: request.raw.socket.bytesRead })
    })
  }
)
