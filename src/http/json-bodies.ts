import type { Readable } from 'node:stream'
import { Ajv, type Options as AjvOptions } from 'ajv'
import type { FastifyRequest } from 'fastify'
import { InvalidRequest, MediaTypeUnsupported } from '../errors.js'
import { parseJsonInTurns, Unusable } from '../json/parse.js'
import type { JsonLimits } from '../json/scan.js'
import { receiveBody } from './receive-body.js'
import type { App } from './routes/services.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Bounds of its JSON body that are not the usual ones. */
    json?: Pick<JsonLimits, 'values' | 'plainBytes'>
  }
}

/**
 * Bodies are taken as they are sent: no coercion, no silent removal. Paths and queries are text, and may be
 * coerced.
 */
export function useStrictValidation(app: App): void {
  const shared: AjvOptions = {
    useDefaults: true,
    removeAdditional: false,
    verbose: true,
    strict: false,
    formats: { binary: true, 'date-time': true, uuid: true }
  }
  const body = new Ajv({ ...shared, coerceTypes: false })
  body.addKeyword({
    keyword: 'sentBase64',
    validate: (_: true, value: unknown) =>
      typeof value === 'string' || value instanceof Uint8Array || value instanceof Unusable,
    error: { message: 'must be string' }
  })
  const text = new Ajv({ ...shared, coerceTypes: 'array' })
  app.setValidatorCompiler(({ schema, httpPart }) =>
    httpPart === 'body' ? body.compile(withDecoded(schema as object)) : text.compile(schema as object)
  )
}

/** A schema that takes bytes, too, where texts in base64 may have been decoded by then. */
function withDecoded(schema: object): object {
  return JSON.parse(JSON.stringify(schema), (_, node) =>
    node?.contentEncoding === 'base64' ? { sentBase64: true } : node
  )
}

/**
 * JSON whose bytes are looked at before it is parsed (json/scan.ts); large bodies are parsed piece by piece.
 */
export function useBoundedJson(app: App): void {
  app.removeContentTypeParser('text/plain')
  // Where bodies differ by content type Fastify validates none that is not there.
  app.addHook('preHandler', async ({ body, headers, routeOptions }) => {
    const { content } = (routeOptions.schema?.body ?? {}) as { content?: object }
    if (!content) return
    const types = Object.keys(content)
    if (body === undefined || body === null)
      throw new InvalidRequest(`A body is needed: ${types.join(' or ')}.`)
    const type = headers['content-type']?.split(';')[0].trim().toLowerCase() ?? 'of no type'
    if (!types.includes(type)) throw new MediaTypeUnsupported(type, types.join(' or '))
  })
  app.addContentTypeParser(
    'application/json',
    async ({ headers, routeOptions: { config, bodyLimit } }: FastifyRequest, payload: Readable) => {
      const announced =
        headers['content-length'] === undefined ? undefined : Number(headers['content-length'])
      const bytes = await receiveBody(payload, {
        announced,
        limit: bodyLimit ?? app.initialConfig.bodyLimit!
      })
      return bytes.length === 0 ? undefined : parseJsonInTurns(bytes, { name: 'The body', ...config.json })
    }
  )
}
