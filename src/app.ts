import { isUtf8 } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import multipart from '@fastify/multipart'
import { Ajv, type Options as AjvOptions } from 'ajv'
import Fastify, { type FastifyBaseLogger, type FastifyError } from 'fastify'
import { clientGone } from './client-gone.js'
import { docs } from './docs.js'
import { drain } from './drain.js'
import { errorHandler, malformedRequest, notFoundHandler } from './error-shape.js'
import { InvalidRequest } from './errors.js'
import { requestGuard } from './request-guard.js'
import { collectionRoutes } from './routes/collections.js'
import { healthRoutes } from './routes/health.js'
import { modelRoutes } from './routes/models.js'
import { imageRoute, recordRoutes } from './routes/records.js'
import { searchRoutes } from './routes/search.js'
import type { App, Services } from './routes/services.js'
import { zeroShotRoutes } from './routes/zero-shot.js'

export interface AppOptions extends Services {
  logger?: FastifyBaseLogger
}

/** Longest parameter in a path: an id of 255 bytes, each percent-encoded. */
const MAX_PARAM_LENGTH = 3 * 255

/** Assembles the HTTP service: plugins, guards, routes and the one error shape. It does not listen yet. */
export async function buildApp({ logger, ...services }: AppOptions): Promise<App> {
  const base = Fastify({
    ...(logger && { loggerInstance: logger }),
    genReqId: () => randomUUID(),
    requestIdHeader: 'x-request-id',
    bodyLimit: 1 << 20,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    frameworkErrors: (error, request, reply) => errorHandler(error as FastifyError, request, reply),
    clientErrorHandler: (error, socket) => void (socket.writable ? socket.end(malformedRequest(error)) : socket.destroy())
  })
  const app = base as unknown as App
  base.setErrorHandler(errorHandler)
  base.setNotFoundHandler(notFoundHandler(base))
  useStrictValidation(app)
  useUtf8Json(app)
  app.addHook('onRequest', requestGuard(services.config))
  app.addHook('onRequest', async (request, reply) => void reply.headers({ 'x-request-id': request.id, 'x-content-type-options': 'nosniff' }))
  await app.register(drain)
  await app.register(clientGone)
  await app.register(multipart)
  await app.register(docs)
  await app.register(async (scope) => {
    for (const routes of [collectionRoutes, recordRoutes, imageRoute, searchRoutes, zeroShotRoutes, modelRoutes, healthRoutes]) {
      routes(scope as unknown as App, services)
    }
  })
  return app
}

/** Bodies are taken as they are sent: no coercion, no silent removal. Paths and queries are text, and may be coerced. */
function useStrictValidation(app: App): void {
  const shared: AjvOptions = { useDefaults: true, removeAdditional: false, allErrors: false, strict: false, formats: { binary: true, 'date-time': true } }
  const body = new Ajv({ ...shared, coerceTypes: false })
  const text = new Ajv({ ...shared, coerceTypes: 'array' })
  app.setValidatorCompiler(({ schema, httpPart }) => (httpPart === 'body' ? body : text).compile(schema as object))
}

/** JSON as Fastify parses it (prototype poisoning refused), once its bytes are UTF-8. */
function useUtf8Json(app: App): void {
  app.removeContentTypeParser('text/plain')
  const parse = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    if (!isUtf8(bytes as Buffer)) return done(new InvalidRequest('The body is not UTF-8.'), undefined)
    parse(request, bytes.toString('utf8'), done)
  })
}
