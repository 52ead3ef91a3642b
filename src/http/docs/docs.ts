import swagger from '@fastify/swagger'
import type { FastifyReply } from 'fastify'
import plugin from 'fastify-plugin'
import { scopeOfRoute } from '../access/access.js'
import { describe, SHARED_COMPONENTS } from './describe.js'
import { EXAMPLE_FILE } from './code-samples/example-calls.js'
import { PAGE_POLICY } from '../static-files.js'
import { EXAMPLE_IMAGE } from '../schemas.js'

const DESCRIPTION = [
  'Cross-modal retrieval: images and texts in one embedding space, searchable in both directions, with ' +
    'zero-shot classification.',
  'All errors have the same shape, `{"error": {"code", "message", "request_id"}}`. 4xx messages say ' +
    'how to fix the request; 429 and 503 carry Retry-After. Each operation lists its error codes, and ' +
    '`components.examples` explains each code.',
  'If the service requires API keys, each key has a scope: read allows search, classification, ' +
    'embedding and reading; write also allows changing records and evaluating collections; admin also ' +
    'allows creating, changing, deleting, re-indexing, backing up, restoring and exporting collections, ' +
    'and evaluating folders. A key can be limited to some collections.',
  'Examples that read use the demo collection `emoji`. Examples that write use a collection ' +
    '`playground`, which the example of "Create a collection" creates.'
].join('\n\n')

const TAGS = [
  'Search',
  'Zero-shot',
  'Classifiers',
  'Embeddings',
  'Collections',
  'Records',
  'Jobs',
  'Evaluations',
  'Backups',
  'Models',
  'Health'
]

/**
 * The OpenAPI description made from the routes' schemas: /openapi.json and /openapi.yaml, and a page to read
 * and try it at /docs.
 */
export const docs = plugin(async (app) => {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Semblance', version: '1', description: DESCRIPTION },
      tags: TAGS.map((name) => ({ name })),
      servers: [{ url: '/' }],
      components: {
        ...SHARED_COMPONENTS,
        securitySchemes: {
          apiKey: { type: 'http', scheme: 'bearer', description: 'If the operator requires API keys.' },
          apiKeyHeader: {
            type: 'apiKey',
            in: 'header',
            name: 'X-API-Key',
            description: 'The same key in a header of its own.'
          }
        }
      },
      security: [{ apiKey: [] }, { apiKeyHeader: [] }, {}]
    },
    hideUntagged: true,
    transform: ({ schema, url, route }) => ({
      url,
      schema: { ...schema, 'x-scope': scopeOfRoute(route.config ?? {}, [route.method].flat()[0]) }
    }),
    transformObject: (document) =>
      describe('openapiObject' in document ? document.openapiObject : document.swaggerObject)
  })
  const shared = { config: { scope: 'open' }, schema: { hide: true } } as const
  app.get('/openapi.json', shared, async () => app.swagger())
  app.get('/openapi.yaml', shared, async (_, reply: FastifyReply) =>
    reply.type('application/yaml; charset=utf-8').send(app.swagger({ yaml: true }))
  )
  app.get('/docs', { ...shared, config: { ...shared.config, isFile: true } }, (_, reply) =>
    reply
      .headers({ 'content-security-policy': PAGE_POLICY, 'cache-control': 'no-cache' })
      .sendFile('docs.html')
  )
  app.get('/docs/', shared, (_, reply) => reply.redirect('/docs', 308))
  app.get(`/docs/${EXAMPLE_FILE}`, shared, (_, reply: FastifyReply) =>
    reply
      .type('image/png')
      .header('cache-control', 'max-age=86400')
      .send(Buffer.from(EXAMPLE_IMAGE.base64, 'base64'))
  )
})
