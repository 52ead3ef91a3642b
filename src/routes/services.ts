import type { FastifyInstance, FastifyBaseLogger, RawReplyDefaultExpression, RawRequestDefaultExpression, RawServerDefault } from 'fastify'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { Collections } from '../collections/collections.js'
import type { Config } from '../config.js'
import type { Encoders } from '../encoder/encoders.js'
import type { Jobs } from '../jobs.js'
import type { Metrics } from '../metrics.js'

/** What keeps the service from being ready, or nothing. */
export interface Readiness {
  /** What is under way at start, with how far it is (0 to 1). */
  pending: Map<string, number>
}

/** What the routes work with. */
export interface Services {
  config: Config
  encoders: Encoders
  collections: Collections
  jobs: Jobs
  readiness: Readiness
  metrics: Metrics
}

/** A Fastify instance whose handlers are typed by their TypeBox schemas. */
export type App = FastifyInstance<RawServerDefault, RawRequestDefaultExpression, RawReplyDefaultExpression, FastifyBaseLogger, TypeBoxTypeProvider>
