import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import plugin from 'fastify-plugin'

const DESCRIPTION = `Cross-modal retrieval: images and texts in one embedding space, searched in both directions, and zero-shot classification.

Errors have one shape, \`{"error": {"code", "message", "request_id"}}\`: 4xx says what to mend, 429 and 503 carry Retry-After.`

/** Swagger UI styles elements in place. The plugin's own policy upgrades to https, which a plain http service has not. */
const CONTENT_SECURITY_POLICY = {
  'default-src': "'self'",
  'img-src': "'self' data: blob:",
  'style-src': "'self' 'unsafe-inline'",
  'object-src': "'none'",
  'base-uri': "'self'",
  'frame-ancestors': "'self'"
}

/** The OpenAPI description made from the routes' schemas: /openapi.json, and a page to read and try it at /docs. */
export const docs = plugin(async (app) => {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Semblance', version: '1', description: DESCRIPTION },
      tags: ['Search', 'Zero-shot', 'Embeddings', 'Records', 'Collections', 'Models', 'Health'].map((name) => ({ name })),
      servers: [{ url: '/' }],
      components: { securitySchemes: { apiKey: { type: 'http', scheme: 'bearer', description: 'Where the operator set API_KEYS.' } } },
      security: [{ apiKey: [] }, {}]
    },
    hideUntagged: true,
    transformObject: (document) => binaryAsStrings('openapiObject' in document ? document.openapiObject : document.swaggerObject)
  })
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: CONTENT_SECURITY_POLICY, uiConfig: { tryItOutEnabled: true, validatorUrl: null } })
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
})

/** Files of a form reach validation as objects; in OpenAPI they are strings of format binary. */
function binaryAsStrings<T extends object>(document: T): T {
  return JSON.parse(JSON.stringify(document), (_, value) => (value?.format === 'binary' ? { ...value, type: 'string' } : value))
}
