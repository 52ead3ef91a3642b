import { normalizeIP } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { LRUCache } from 'lru-cache'
import { RefusedTooOften } from '../../errors.js'
import type { ApiKey } from '../../access/api-key.js'

/** Slows down the guessing of keys. */
export interface Refusals {
  /**
   * Throws RATE_LIMITED where the address has been refused too often. A right key is turned away then too, or
   * the answer would tell it from a wrong one; but not one that has been shown from there before, or one
   * caller could shut out all that share its address.
   */
  check(request: FastifyRequest, shown: { reply: FastifyReply; key?: ApiKey }): Promise<void>
  /** Counts a refusal against the request's address. */
  count(request: FastifyRequest): Promise<void>
  /** Remembers that a valid key was shown from the request's address. */
  know(request: FastifyRequest, key: ApiKey): void
}

/** Pairs of key and address that are remembered. */
const MAX_KNOWN = 10_000

/**
 * Counts refusals by address, up to so many a minute; 0 sets no limit. `@fastify/rate-limit` must be
 * registered.
 */
export function countRefusals(app: FastifyInstance, limit: number): Refusals {
  const known = new LRUCache<string, true>({ max: MAX_KNOWN })
  const pair = ({ ip }: FastifyRequest, { digest }: ApiKey) =>
    `${normalizeIP(ip)} ${digest.toString('base64')}`
  const limiter = app.createRateLimit({
    max: limit,
    timeWindow: '1 minute',
    keyGenerator: ({ ip }) => normalizeIP(ip),
    allowList: []
  })
  return {
    check: async (request, { reply, key }) => {
      if (limit === 0 || (key && known.has(pair(request, key)))) return
      const counted = await limiter(request, { increment: false })
      if (counted.isAllowed || counted.remaining > 0) return
      reply.header('retry-after', counted.ttlInSeconds)
      throw new RefusedTooOften(limit, `${counted.ttlInSeconds} s`)
    },
    count: async (request) => {
      if (limit > 0) await limiter(request)
    },
    know: (request, key) => {
      if (limit > 0) known.set(pair(request, key), true)
    }
  }
}
