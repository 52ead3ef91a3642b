import type { FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'
import { MediaTypeUnsupported } from '../errors.js'

/** Charsets in which UTF-8 is written, or a part of it. */
const UTF8 = ['utf-8', 'utf8', 'us-ascii', 'ascii']

/** Refuses bodies that a route does not take, by their headers, before any of them is read. */
export const bodyTypes = plugin(async (app) => {
  app.addHook('preParsing', async (request) => {
    if (request.routeOptions.schema?.body === undefined || !hasBody(request)) return
    requirePlain(request)
    requireType(request)
  })
})

function hasBody({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

function requirePlain({ headers: { 'content-encoding': encoding = 'identity' } }: FastifyRequest): void {
  if (encoding.trim().toLowerCase() === 'identity') return
  throw new MediaTypeUnsupported(`compressed (Content-Encoding: ${encoding.slice(0, 40)})`, 'it uncompressed')
}

function requireType({ headers, routeOptions }: FastifyRequest): void {
  const { content } = routeOptions.schema!.body as { content?: object }
  const types = content ? Object.keys(content) : ['application/json']
  const [type, ...parameters] = (headers['content-type'] ?? '')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim())
  if (!types.includes(type))
    throw new MediaTypeUnsupported(
      type === '' ? 'missing a Content-Type' : type.slice(0, 80),
      `${types.join(' or ')} (the header Content-Type)`
    )
  const charset = parameters
    .find((each) => each.startsWith('charset='))
    ?.slice('charset='.length)
    .replaceAll('"', '')
  if (charset !== undefined && !UTF8.includes(charset))
    throw new MediaTypeUnsupported(`in the charset ${charset.slice(0, 40)}`, 'it in UTF-8')
}
