import helmet from '@fastify/helmet'
import plugin from 'fastify-plugin'
import type { Config } from '../../config.js'

/**
 * Headers that keep browsers from doing more with an answer than it is for, and caches from keeping it.
 * Routes that serve pages or pictures set a Content-Security-Policy or Cache-Control of their own. HSTS is
 * for what ends TLS to send: the service itself speaks plain HTTP, where browsers ignore it.
 */
export const securityHeaders = plugin(async (app, { ALLOWED_ORIGINS }: Pick<Config, 'ALLOWED_ORIGINS'>) => {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'none'"],
        'base-uri': ["'none'"],
        'form-action': ["'none'"],
        'frame-ancestors': ["'none'"]
      }
    },
    // A page of another origin that may call may also show the pictures.
    crossOriginResourcePolicy: { policy: ALLOWED_ORIGINS.length > 0 ? 'cross-origin' : 'same-origin' },
    referrerPolicy: { policy: 'no-referrer' },
    frameguard: { action: 'deny' },
    strictTransportSecurity: false,
    // What only browsers of the past know.
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
    originAgentCluster: false
  })
  // Caches that are shared know of Authorization, not of X-API-Key.
  app.addHook(
    'onRequest',
    async (request, reply) => void reply.headers({ 'x-request-id': request.id, 'cache-control': 'no-store' })
  )
})

/** The same headers as they are, for what is answered before any hook runs. */
export function plainSecurityHeaders(
  { ALLOWED_ORIGINS }: Pick<Config, 'ALLOWED_ORIGINS'>,
  requestId: string
): Record<string, string> {
  return {
    'content-security-policy': "default-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none'",
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': ALLOWED_ORIGINS.length > 0 ? 'cross-origin' : 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'x-request-id': requestId,
    'cache-control': 'no-store'
  }
}
