import { fileURLToPath } from 'node:url'
import fastifyStatic from '@fastify/static'
import plugin from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the answer is a file of the gallery. */
    isFile?: boolean
  }
}

/** Where `npm run build` puts the gallery, seen from src/ and from dist/ alike. */
const ROOT = fileURLToPath(new URL('../../dist/web', import.meta.url))

/** The views that have a link; the page itself decides which one it shows. */
const VIEWS = ['/', '/classify', '/map', '/collections', '/add']

/**
 * Nothing from elsewhere, nothing inline, no eval; pictures that are dropped or fetched with a key are blobs.
 */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "connect-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join('; ')

/** Assets lie in one folder, and have a digest of what is in them in their names. */
const ASSET = /^[\w-][\w.-]*$/
const ASSETS_MAX_AGE = '365 days'

/**
 * The gallery: one page for all views, readable without a key since it asks for it, and the files that belong
 * to it.
 */
export const gallery = plugin(async (app) => {
  await app.register(fastifyStatic, { root: ROOT, serve: false, preCompressed: true, cacheControl: false })
  // Each file is there as it is and compressed.
  app.addHook(
    'onSend',
    async ({ routeOptions: { config } }, reply) =>
      void (config.isFile && reply.header('vary', 'accept-encoding'))
  )
  const shared = { config: { scope: 'open', isFile: true }, schema: { hide: true } } as const
  for (const view of VIEWS) {
    app.get(view, shared, (_, reply) =>
      reply
        .headers({ 'content-security-policy': PAGE_POLICY, 'cache-control': 'no-cache' })
        .sendFile('index.html')
    )
  }
  app.get('/icon.svg', shared, (_, reply) =>
    reply.header('cache-control', 'max-age=86400').sendFile('icon.svg')
  )
  app.get<{ Params: { '*': string } }>('/assets/*', shared, ({ params: { '*': name } }, reply) => {
    if (!ASSET.test(name)) return reply.callNotFound()
    return reply
      .removeHeader('cache-control')
      .sendFile(`assets/${name}`, { cacheControl: true, maxAge: ASSETS_MAX_AGE, immutable: true })
  })
})
