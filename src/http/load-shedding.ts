import type { FastifyInstance } from 'fastify'
import plugin from 'fastify-plugin'
import type { Config } from '../config.js'
import { QueueFull, retryLater } from '../errors.js'
import { EventLoopLag } from '../threading/event-loop-lag.js'

/**
 * Turns of the event loop that a request waits for at least: one to come in, one for each thread that works
 * on it, and one to leave.
 */
const TURNS = 5
/** The part of the bound that those turns may take; the rest is for the queues. */
const PART = 0.25
/** A shorter lag is no overload, in milliseconds. */
const LEAST_LAG_MS = 250

export interface LoadSheddingOptions extends Pick<Config, 'MAX_QUEUE_MS'> {
  /** Of the thread's own event loop, by default. */
  lag?: Pick<EventLoopLag, 'ms'>
}

/**
 * Refuses requests that bring a body while the turns of the event loop alone would take much of MAX_QUEUE_MS.
 * No queue sees that wait, and to read and parse a body would lengthen it, so the request is rejected by its
 * headers. Streams are held back as they are read.
 */
export const loadShedding = plugin(async (app, options: LoadSheddingOptions) => {
  const { MAX_QUEUE_MS: boundMs, lag = ownLag(app) } = options
  if (boundMs === 0) return
  const allowedMs = Math.max(LEAST_LAG_MS, (PART * boundMs) / TURNS)
  app.addHook('onRequest', async ({ headers, routeOptions: { config } }) => {
    const bringsBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length']) > 0
    if (bringsBody && !config.streams && lag.ms > allowedMs) throw retryLater(new QueueFull(), TURNS * lag.ms)
  })
})

function ownLag(app: FastifyInstance): Pick<EventLoopLag, 'ms'> {
  const lag = new EventLoopLag()
  // What the start took says nothing of the load.
  app.addHook('onReady', async () => lag.reset())
  app.addHook('onClose', async () => lag.close())
  return lag
}
