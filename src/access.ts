import rateLimit from '@fastify/rate-limit'
import plugin from 'fastify-plugin'
import { findKey, parseApiKeys } from './api-keys.js'
import type { Config } from './config.js'
import { Forbidden, RateLimited, Unauthorized } from './errors.js'

/** What a route asks of its caller: nothing, a key that may read, or one that may write. */
export type Scope = 'open' | 'read' | 'write'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** `read` for GET and `write` for the rest, unless it is said here. */
    scope?: Scope
  }
  interface FastifyRequest {
    /** A digest of the caller's API key, for what is counted by key; the key itself goes nowhere. */
    keyDigest?: string
  }
}

/** Checks API keys, where there are any, and the rate by key, or by address where there are none. */
export const access = plugin(async (app, { API_KEYS, RATE_LIMIT_PER_MINUTE: max }: Config) => {
  const keys = parseApiKeys(API_KEYS)
  app.decorateRequest('keyDigest')
  app.addHook('onRequest', async (request) => {
    if (keys.length === 0 || request.is404) return
    const { config, url = '', method } = request.routeOptions
    const scope = isDocs(url) ? 'open' : (config.scope ?? (method === 'GET' || method === 'HEAD' ? 'read' : 'write'))
    if (scope === 'open') return
    const presented = presentedKey(request.headers)
    const key = presented === undefined ? undefined : findKey(keys, presented)
    if (!key) throw new Unauthorized()
    if (scope === 'write' && key.scope === 'read') throw new Forbidden()
    request.keyDigest = key.digest.toString('hex')
  })
  if (max > 0) {
    await app.register(rateLimit, {
      max,
      timeWindow: '1 minute',
      keyGenerator: ({ keyDigest, ip }) => keyDigest ?? ip,
      allowList: ({ routeOptions }) => routeOptions.config.scope === 'open',
      errorResponseBuilder: (_, { after }) => new RateLimited(max, after)
    })
  }
})

/** The page that asks for the key must be readable without one. */
function isDocs(url: string): boolean {
  return url === '/openapi.json' || url === '/docs' || url.startsWith('/docs/')
}

function presentedKey(headers: { authorization?: string; 'x-api-key'?: string | string[] }): string | undefined {
  const [, bearer] = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '') ?? []
  return bearer ?? [headers['x-api-key']].flat()[0]
}
