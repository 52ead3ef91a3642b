import type { FastifyCorsOptions } from '@fastify/cors'
import type { Config } from '../../config.js'

/** How long a browser need not ask again, in seconds: as long as Chromium remembers it. */
const PREFLIGHT_MAX_AGE_S = 7200

/** The origins of ALLOWED_ORIGINS, as browsers send theirs. */
export function allowedOrigins({ ALLOWED_ORIGINS }: Pick<Config, 'ALLOWED_ORIGINS'>): string[] {
  return ALLOWED_ORIGINS.map((origin) => origin.trim().toLowerCase()).filter((origin) => origin !== '')
}

/**
 * What the browsers of ALLOWED_ORIGINS are told. They may send any header, as clients bring some of their own
 * (OpenAI's a dozen); cookies and such are not for them, since keys are sent by the page itself.
 */
export function corsOptions(config: Pick<Config, 'ALLOWED_ORIGINS'>): FastifyCorsOptions {
  const origins = allowedOrigins(config)
  return {
    origin: origins.includes('*') ? '*' : origins,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: [
      'x-request-id',
      'retry-after',
      'location',
      'etag',
      'x-ratelimit-limit',
      'x-ratelimit-remaining',
      'x-ratelimit-reset'
    ],
    maxAge: PREFLIGHT_MAX_AGE_S
  }
}
