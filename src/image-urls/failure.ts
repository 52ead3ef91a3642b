import { ImageUrlFailed, isPublicError } from '../errors.js'

/**
 * What a failed request means to who sent the url; errors that are not the network's come back as they are.
 */
export function failureOf(error: unknown): unknown {
  const { name, code = name === 'HTTPParserError' ? 'HPE_UNKNOWN' : undefined } = error as {
    name?: string
    code?: unknown
  }
  if (isPublicError(error) || typeof code !== 'string') return error
  return Object.assign(new ImageUrlFailed(reasonOf(code)), { cause: error })
}

function reasonOf(code: string): string {
  if (code === 'UND_ERR_HEADERS_OVERFLOW' || code === 'HPE_HEADER_OVERFLOW')
    return 'the response headers are too large'
  if (/TIMEOUT|ETIMEDOUT|ECONNREFUSED|UNREACH|EADDRNOTAVAIL/.test(code)) return "its host can't be reached"
  if (/CERT|SIGNATURE|SELF_SIGNED|ISSUER|ERR_TLS/.test(code))
    return 'the certificate of its host is not trusted'
  if (/^ERR_SSL|^EPROTO$/.test(code)) return 'its host does not speak TLS'
  if (/^HPE_|UND_ERR_HTTP_PARSER/.test(code)) return 'its host does not answer in HTTP'
  if (code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH')
    return 'the response is not as long as its Content-Length'
  return 'the connection broke'
}
