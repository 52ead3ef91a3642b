import { TransientError } from './transient-error.js'

/** No one is there: what a machine without internet sees. */
const UNREACHABLE = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT'
])

/** The connection broke. */
const BROKEN = new Set([
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ECONNABORTED',
  'UND_ERR_SOCKET',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'ERR_STREAM_PREMATURE_CLOSE'
])

/** The host can't be reached; the first request gives up at it, later ones try again. */
export class UnreachableError extends TransientError {}

/**
 * What a failed request means: an UnreachableError, a TransientError, or an Error that says what to do.
 * Errors that are not the network's come back as they are.
 */
export function networkError(error: unknown, { host }: URL): unknown {
  const { code = '', message = '' } = error as { code?: string; message?: string }
  const proxy = /Proxy response \((\d+)\)/.exec(message)?.[1]
  if (proxy)
    return new Error(
      `The proxy answered ${proxy} to the request for ${host}: check HTTP_PROXY, HTTPS_PROXY and NO_PROXY.`,
      { cause: error }
    )
  if (UNREACHABLE.has(code)) {
    return new UnreachableError(
      `${host} can't be reached (${code}): check the connection, or set HF_ENDPOINT to a mirror or ` +
        'HTTPS_PROXY to a proxy',
      { cause: error }
    )
  }
  if (BROKEN.has(code)) return new TransientError(`the connection broke (${code})`, { cause: error })
  if (/CERT|SIGNATURE|SELF_SIGNED|ISSUER|ERR_TLS/.test(code)) {
    return new Error(
      `The certificate of ${host} is not trusted (${code}): set NODE_EXTRA_CA_CERTS to the certificate ` +
        'of your own authority.',
      { cause: error }
    )
  }
  if (/^ERR_SSL|^EPROTO$/.test(code))
    return new Error(`${host} does not speak TLS (${code}): check HF_ENDPOINT and the proxies.`, {
      cause: error
    })
  return error
}
