import { isIP } from 'node:net'
import type { FastifyRequest } from 'fastify'
import type { Config } from '../../config.js'
import { HostNotAllowed, InvalidRequest, OriginNotAllowed } from '../../errors.js'
import { allowedOrigins } from './cross-origin.js'

/**
 * A hook that turns away what a web page of another site could send: a Host that is neither an address,
 * localhost, HOST nor in ALLOWED_HOSTS (DNS rebinding), and an Origin that is neither the own one nor in
 * ALLOWED_ORIGINS (a multipart POST needs no preflight). Clients other than browsers send no Origin.
 */
export function requestGuard({ HOST, ALLOWED_HOSTS, ALLOWED_ORIGINS }: Config) {
  const hosts = new Set(['localhost', HOST, ...ALLOWED_HOSTS].map((host) => host.trim().toLowerCase()))
  const origins = new Set(allowedOrigins({ ALLOWED_ORIGINS }))
  return async ({ headers, raw: { rawHeaders, httpVersion } }: FastifyRequest): Promise<void> => {
    // Node takes the first of several, and proxies may take another.
    const named = rawHeaders.filter((name, i) => i % 2 === 0 && name.toLowerCase() === 'host').length
    if (named > 1) throw new InvalidRequest(`The header Host appears ${named} times; send it once.`)
    if (named === 0 && httpVersion === '1.1')
      throw new InvalidRequest('The header Host is missing; HTTP/1.1 requires it.')
    // Every browser names a host; HTTP/1.0 checks of load balancers don't.
    const host = headers.host ?? 'localhost'
    const name = hostName(host)
    if (!hosts.has('*') && !hosts.has(name) && !isIP(name)) throw new HostNotAllowed(host)
    const origin = headers.origin?.toLowerCase()
    if (origin === undefined || origins.has('*') || origins.has(origin)) return
    if (origin !== `http://${host.toLowerCase()}` && origin !== `https://${host.toLowerCase()}`)
      throw new OriginNotAllowed(origin)
  }
}

/** The name or address of a Host header, without port and brackets. */
function hostName(host: string): string {
  return host
    .toLowerCase()
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
}
