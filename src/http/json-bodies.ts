import type { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import { BodyTooLarge, ClientGone, InvalidRequest, MediaTypeUnsupported } from '../errors.js'
import { parseJsonInTurns } from '../json/parse.js'
import type { JsonLimits } from '../json/scan.js'
import { createYielder } from '../threading/yield-to-event-loop.js'
import type { App } from './routes/services.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Bounds of its JSON body that are not the usual ones. */
    json?: Pick<JsonLimits, 'values' | 'plainBytes'>
  }
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
      throw new InvalidRequest(`The request body is missing; send ${types.join(' or ')}.`)
    const type = headers['content-type']?.split(';')[0].trim().toLowerCase() ?? 'missing a Content-Type'
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

interface BodySize {
  /** What its sender announced, if anything. */
  announced?: number
  limit: number
}

/**
 * Reads a body of bounded size. Of one whose length is announced the bytes go where they stay as they come,
 * since to join tens of megabytes at the end would hold the thread. Throws BODY_TOO_LARGE, and CLIENT_GONE
 * where it ends early.
 */
async function receiveBody(body: Readable, { announced, limit }: BodySize): Promise<Buffer> {
  const requireSize = (bytes: number) => {
    if (bytes > limit) throw new BodyTooLarge(`The body exceeds the limit of ${limit} bytes for this call.`)
  }
  requireSize(announced ?? 0)
  const chunks: Buffer[] = []
  const whole = announced === undefined ? undefined : Buffer.allocUnsafeSlow(announced)
  let length = 0
  try {
    // The answer to who sends too much goes over the same connection.
    for await (const chunk of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      requireSize(length + chunk.length)
      if (whole) chunk.copy(whole, length)
      else chunks.push(chunk)
      length += chunk.length
    }
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ECONNRESET' ? new ClientGone() : error
  }
  return whole ?? join(chunks, length)
}

async function join(chunks: Buffer[], length: number): Promise<Buffer> {
  const yieldToEventLoop = createYielder()
  const whole = Buffer.allocUnsafeSlow(length)
  let at = 0
  for (const chunk of chunks) {
    at += chunk.copy(whole, at)
    await yieldToEventLoop()
  }
  return whole
}
