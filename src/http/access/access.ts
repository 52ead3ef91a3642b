import rateLimit, { normalizeIP } from '@fastify/rate-limit'
import type { FastifyContextConfig, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'
import { LRUCache } from 'lru-cache'
import { type ApiKey, isExpired, reaches, type Scope, suffices } from '../../access/api-key.js'
import type { KeyRing } from '../../access/key-ring.js'
import type { Config } from '../../config.js'
import {
  CollectionForbidden,
  Forbidden,
  KeyExpired,
  RateLimited,
  RefusedTooOften,
  Unauthorized
} from '../../errors.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * What a route asks of its caller: nothing, or a key of that scope. `read` for GET and `write` for the
     * rest, unless it is said here.
     */
    scope?: 'open' | Scope
    /** Whether the answer tells of every collection, which a key that reaches some may not see. */
    everyCollection?: boolean
  }
  interface FastifyRequest {
    /** The caller's API key, where one was asked for. */
    caller?: ApiKey
    /** Whether the caller may know of a collection, be there one of that name or not. */
    reaches(collection: string): boolean
  }
}

export interface AccessOptions {
  config: Pick<Config, 'RATE_LIMIT_PER_MINUTE' | 'REFUSALS_PER_MINUTE'>
  keys: KeyRing
}

/** How often it is looked for requests under way whose key has run out, in milliseconds. */
const CUT_OFF_MS = 1000

/**
 * Checks API keys, where they are asked for, with their scope and collections, and the rate by key, or by
 * address without one.
 */
export const access = plugin(async (app, { config, keys }: AccessOptions) => {
  const limitOf = ({ caller }: FastifyRequest) => caller?.rateLimit ?? config.RATE_LIMIT_PER_MINUTE
  app.decorateRequest('caller')
  app.decorateRequest('reaches', function (this: FastifyRequest, collection) {
    return this.caller === undefined || reaches(this.caller, collection)
  })
  // What is counted is bounded: the 5,000 that were seen last.
  await app.register(rateLimit, {
    max: limitOf,
    timeWindow: '1 minute',
    keyGenerator: ({ caller, ip }) => (caller ? `key ${caller.name}` : normalizeIP(ip)),
    allowList: (request) => scopeOf(request) === 'open' || limitOf(request) === 0,
    errorResponseBuilder: (_, { max, after }) => new RateLimited(max, after)
  })
  // A bulk load or an event stream may last for hours: it ends with its key.
  const underWay = new Set<FastifyRequest>()
  const cutOff = () => {
    for (const { caller, raw } of underWay) if (!keys.holds(caller!)) raw.socket.destroy()
  }
  keys.onChange(cutOff)
  // Keys run out unannounced.
  const timer = setInterval(cutOff, CUT_OFF_MS).unref()
  app.addHook('onClose', async () => clearInterval(timer))
  const refusals = countRefusals(app, config.REFUSALS_PER_MINUTE)
  app.addHook('onRequest', async (request, reply) => {
    const needed = scopeOf(request)
    if (!keys.isLocked || request.is404 || needed === 'open') return
    const presented = presentedKey(request.headers)
    const key = presented === undefined ? undefined : keys.find(presented)
    await refusals.check(request, { reply, key })
    if (!key || isExpired(key)) {
      await refusals.count(request)
      throw key ? new KeyExpired(new Date(key.expiresAt!).toISOString()) : new Unauthorized()
    }
    refusals.know(request, key)
    request.caller = key
    // How long its work takes must not tell what others of other collections have sent.
    if (key.collections) request.callOptions.sharing = `key ${key.name}`
    underWay.add(request)
    reply.raw.once('close', () => underWay.delete(request))
    const { collection } = request.params as { collection?: string }
    if (!suffices(key.scope, needed)) throw new Forbidden(key.scope, needed)
    if (collection !== undefined && !reaches(key, collection))
      throw new CollectionForbidden(`collection '${collection}'`)
    if (request.routeOptions.config.everyCollection && key.collections)
      throw new CollectionForbidden('all collections, which this request needs')
  })
})

/** What the route of a request asks of its caller. */
export function scopeOf({ routeOptions: { config, method } }: FastifyRequest): 'open' | Scope {
  return scopeOfRoute(config, String(method))
}

/** What a route asks of its callers: what it says, else read where nothing is changed, and write. */
export function scopeOfRoute({ scope }: FastifyContextConfig, method: string): 'open' | Scope {
  return scope ?? (method === 'GET' || method === 'HEAD' ? 'read' : 'write')
}

function presentedKey(headers: {
  authorization?: string
  'x-api-key'?: string | string[]
}): string | undefined {
  const [, bearer] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '') ?? []
  return bearer ?? [headers['x-api-key']].flat()[0]
}

/** Slows down the guessing of keys. */
interface Refusals {
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
function countRefusals(app: FastifyInstance, limit: number): Refusals {
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
