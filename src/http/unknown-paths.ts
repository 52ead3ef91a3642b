import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { MethodNotAllowed, RouteNotFound } from '../errors.js'

interface Route {
  segments: string[]
  methods: string[]
}

/**
 * Answers what no route does: OPTIONS with the methods of a path, other methods with 405 and these, and
 * unknown paths with 404, which names the right path where only slashes are too many. It must be called
 * before routes are added.
 */
export function unknownPaths(app: FastifyInstance): void {
  const routes: Route[] = []
  app.addHook('onRoute', ({ url, method }) => {
    if (url !== '*') routes.push({ segments: url.split('/'), methods: [method].flat() })
  })
  app.addHook('onRequest', async (request, reply) => {
    const path = pathOf(request)
    // With the header it is a browser that asks whether it may call.
    if (request.method === 'OPTIONS' && request.headers['access-control-request-method'] === undefined)
      return options(reply, path, methodsOf(routes, path))
    // A parameter may be empty for the router.
    if (!request.is404 && path !== '/' && tidied(path) !== path && path.startsWith('/v1'))
      throw notFound(routes, path)
  })
  app.setNotFoundHandler((request, reply) => {
    const path = pathOf(request)
    const allowed = methodsOf(routes, path)
    if (allowed.length === 0) throw notFound(routes, path)
    reply.header('allow', allowed.join(', '))
    throw new MethodNotAllowed(path, request.method, allowed.join(', '))
  })

  function options(reply: FastifyReply, path: string, allowed: string[]): FastifyReply {
    if (allowed.length === 0 && path !== '*') throw notFound(routes, path)
    const methods = path === '*' ? [...new Set(routes.flatMap((route) => route.methods))] : allowed
    return reply
      .code(204)
      .header('allow', [...methods, 'OPTIONS'].join(', '))
      .send()
  }
}

function pathOf({ url }: FastifyRequest): string {
  return url.split('?')[0]
}

function methodsOf(routes: Route[], path: string): string[] {
  const segments = path.split('/')
  const matching = routes.filter(
    (route) =>
      route.segments.length === segments.length &&
      route.segments.every((segment, i) =>
        segment.startsWith(':') ? segments[i] !== '' : segment === segments[i]
      )
  )
  return [...new Set(matching.flatMap(({ methods }) => methods))]
}

/** A path without slashes that are doubled, or at its end. */
function tidied(path: string): string {
  return path.replace(/\/{2,}/g, '/').replace(/(?<=.)\/$/, '')
}

function notFound(routes: Route[], path: string): Error {
  const right = tidied(path)
  return new RouteNotFound(
    right !== path && methodsOf(routes, right).length > 0 ? `${path} (did you mean ${right}?)` : path
  )
}
