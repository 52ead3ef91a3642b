import cors from '@fastify/cors'
import multipart from '@fastify/multipart'
import type { ErrorObject } from 'ajv'
import Fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyReply,
  type FastifyRequest
} from 'fastify'
import { access } from './access/access.js'
import { audit } from './access/audit.js'
import type { AuditLog } from '../access/audit-log.js'
import { corsOptions } from './access/cross-origin.js'
import { fixedKeyRing, type KeyRing } from '../access/key-ring.js'
import { requestGuard } from './access/request-guard.js'
import { requestIdOf } from '../access/request-id.js'
import { plainSecurityHeaders, securityHeaders } from './access/security-headers.js'
import { trustedProxies } from '../access/trusted-proxies.js'
import { bodyDeadline } from './body-deadline.js'
import { bodyTypes } from './body-types.js'
import { docs } from './docs/docs.js'
import { drain } from './drain.js'
import { gallery } from './static-files.js'
import { errorHandler } from './error-shape.js'
import { useBoundedJson } from './json-bodies.js'
import { loadShedding } from './load-shedding.js'
import { answerExpectation, answerMalformed } from './malformed-request.js'
import { deadlines } from './deadlines.js'
import { discardRefusedBodies } from './refused-bodies.js'
import { requestSteps } from './request-steps.js'
import { backupFileRoute, backupRoutes } from './routes/backups.js'
import { bulkLoadRoute, bulkRoutes } from './routes/bulk.js'
import { classifierRoutes } from './routes/classifiers.js'
import { classifyRoute } from './routes/classify.js'
import { collectionRoutes } from './routes/collections.js'
import { embeddingRoutes } from './routes/embeddings.js'
import { evaluationRoutes } from './routes/evaluations.js'
import { exportRoutes } from './routes/export.js'
import { facetRoute } from './routes/facets.js'
import { healthRoutes } from './routes/health.js'
import { jobRoutes } from './routes/jobs.js'
import { metricsRoutes } from './routes/metrics.js'
import { modelRoutes } from './routes/models.js'
import { recordRoutes, singleRecordRoutes } from './routes/records.js'
import { recordImageRoute } from './routes/record-image.js'
import { recordSetRoutes } from './routes/record-sets.js'
import { restoreRoutes } from './routes/restore.js'
import { generalSearchRoutes, searchRoutes } from './routes/search.js'
import type { App, Services } from './routes/services.js'
import { compileSchemasOnDemand } from './schema-compilers.js'
import { snapshotRoute } from './routes/snapshot.js'
import { matrixRoute, scoresRoute } from './routes/whole-collection.js'
import { zeroShotRoutes } from './routes/zero-shot.js'
import type { Traces } from '../telemetry/traces.js'
import { unknownPaths } from './unknown-paths.js'
import { describeFaults } from '../validation/faults.js'

export interface AppOptions extends Services {
  logger?: FastifyBaseLogger
  traces?: Traces
  /** The keys of the environment alone, where there are none. */
  keys?: KeyRing
  auditLog?: AuditLog
}

/** One line a request, when it is answered. */
class RequestLog extends LogController {
  override incomingRequest(): void {}

  override requestCompleted(error: Error | null, request: FastifyRequest, reply: FastifyReply): void {
    const fields = { req: request, res: reply, responseTime: reply.elapsedTime }
    if (error) reply.log.error({ ...fields, err: error }, 'request errored')
    else reply.log.info(fields, 'request completed')
  }
}

/**
 * What is logged of a request: no header, and no query, where callers put what they search for and by mistake
 * their keys.
 */
function loggedRequest({ method, url, host, ip, socket }: FastifyRequest) {
  return { method, url: url.split('?')[0], host, remoteAddress: ip, remotePort: socket?.remotePort }
}

const LOGGED = {
  req: loggedRequest,
  // @fastify/multipart puts the headers of every form into its trace.
  busboyOptions: ({ limits }: { limits?: object }) => ({ limits })
}

/** Longest parameter in a path: an id of 255 bytes, each percent-encoded. */
const MAX_PARAM_LENGTH = 3 * 255

const ROUTES = [
  searchRoutes,
  generalSearchRoutes,
  matrixRoute,
  scoresRoute,
  zeroShotRoutes,
  classifierRoutes,
  classifyRoute,
  embeddingRoutes,
  recordRoutes,
  singleRecordRoutes,
  recordImageRoute,
  recordSetRoutes,
  facetRoute,
  bulkRoutes,
  bulkLoadRoute,
  collectionRoutes,
  snapshotRoute,
  backupRoutes,
  backupFileRoute,
  restoreRoutes,
  exportRoutes,
  jobRoutes,
  evaluationRoutes,
  modelRoutes,
  healthRoutes,
  metricsRoutes
]

/**
 * A connection on which nothing moves for so long is closed: half an upload must not hold its memory for
 * ever.
 */
const IDLE_CONNECTION_MS = 120_000

/** Assembles the HTTP service: plugins, guards, routes and the one error shape. It does not listen yet. */
export async function buildApp({ logger, traces, keys, auditLog, ...services }: AppOptions): Promise<App> {
  const base = Fastify({
    ...(logger && { loggerInstance: logger.child({}, { serializers: LOGGED }) }),
    trustProxy: services.config.TRUST_PROXY.length > 0 && trustedProxies(services.config.TRUST_PROXY),
    genReqId: requestIdOf,
    requestIdHeader: false,
    logController: new RequestLog(),
    bodyLimit: 1 << 20,
    schemaErrorFormatter: (errors, part) => new Error(describeFaults(errors as ErrorObject[], part)),
    // They are answered in the one shape (drain.ts).
    return503OnClosing: false,
    connectionTimeout: IDLE_CONNECTION_MS,
    // It is rejected in the one shape (request-guard.ts).
    http: { requireHostHeader: false },
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    frameworkErrors: (error, request, reply) => {
      // No hook runs before.
      reply.headers(plainSecurityHeaders(services.config, request.id))
      errorHandler(error as FastifyError, request, reply)
    },
    clientErrorHandler: answerMalformed(services.config, logger)
  })
  const app = base as unknown as App
  base.setErrorHandler(errorHandler)
  base.server.on('checkExpectation', answerExpectation(services.config))
  compileSchemasOnDemand(app)
  useBoundedJson(app)
  await app.register(requestSteps, { metrics: services.metrics, traces })
  await app.register(securityHeaders, services.config)
  await app.register(audit, { log: auditLog })
  app.addHook('onRequest', requestGuard(services.config))
  unknownPaths(base)
  app.addHook('onResponse', async ({ method, routeOptions }, reply) => {
    services.metrics.observeRequest(
      { method, route: routeOptions.url ?? 'unknown', status: reply.statusCode },
      reply.elapsedTime / 1000
    )
  })
  app.addHook('onClose', async () => services.imageUrls?.close())
  if (services.config.ALLOWED_ORIGINS.length > 0) await app.register(cors, corsOptions(services.config))
  await app.register(discardRefusedBodies)
  await app.register(drain)
  await app.register(loadShedding, services.config)
  await app.register(deadlines, services.config)
  await app.register(bodyDeadline, services.config)
  base.server.maxConnections = services.config.MAX_CONNECTIONS
  await app.register(access, {
    config: services.config,
    keys: keys ?? fixedKeyRing(services.config.API_KEYS)
  })
  await app.register(bodyTypes)
  await app.register(multipart, { throwFileSizeLimit: false })
  await app.register(docs)
  await app.register(gallery)
  await app.register(async (scope) => {
    for (const routes of ROUTES) {
      routes(scope as unknown as App, services)
    }
  })
  return app
}
