import type {
  FastifyInstance,
  FastifyBaseLogger,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault
} from 'fastify'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { Backups } from '../../collections/backups/backups.js'
import type { Collections } from '../../collections/collections.js'
import type { Exports } from '../../collections/exports/exports.js'
import type { ImageStore } from '../../collections/stores/image-store.js'
import type { ReportStore } from '../../collections/stores/report-store.js'
import type { StoreHealth } from '../../collections/stores/store.js'
import type { Classifiers } from '../../classifiers/classifiers.js'
import type { Config } from '../../config.js'
import type { Encoders } from '../../encoder/encoders.js'
import type { ImageFetcher } from '../../image-urls/image-fetcher.js'
import type { Jobs } from '../../jobs/jobs.js'
import type { Metrics } from '../../telemetry/metrics.js'

/** What keeps the service from being ready, or nothing. */
export interface Readiness {
  /** What is under way at start, with how far it is (0 to 1). */
  pending: Map<string, number>
  /** Whether the service is about to end. */
  closing: boolean
}

/** What the routes work with. */
export interface Services {
  config: Config
  encoders: Encoders
  collections: Collections
  images: ImageStore
  backups: Backups
  exports: Exports
  jobs: Jobs
  reports: ReportStore
  classifiers: Classifiers
  /** How the store is. */
  health: StoreHealth
  readiness: Readiness
  metrics: Metrics
  /** Fetches images by url, where that is turned on. */
  imageUrls?: ImageFetcher
}

/** A Fastify instance whose handlers are typed by their TypeBox schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>
