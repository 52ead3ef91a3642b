import { randomUUID } from 'node:crypto'
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { ConnectionError, FastifyBaseLogger } from 'fastify'
import { plainSecurityHeaders } from './access/security-headers.js'
import type { Config } from '../config.js'

/** What Node's parser refuses, by its code, that is not merely malformed. */
const REFUSALS: Record<string, [status: number, message: string, code?: string]> = {
  HPE_HEADER_OVERFLOW: [431, 'The request headers are too large.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'The chunk extensions are too large.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request headers did not arrive in time.', 'REQUEST_TIMEOUT']
}
const MALFORMED: [status: number, message: string, code?: string] = [400, 'This is not a valid HTTP request.']

/**
 * A listener of `clientError` that answers what is no HTTP in the one error shape, with the headers of every
 * other answer, and closes the connection. Where an answer is on its way there already it only closes:
 * another within it would be taken for its end.
 */
export function answerMalformed(
  config: Pick<Config, 'ALLOWED_ORIGINS'>,
  logger?: FastifyBaseLogger
): (error: ConnectionError, socket: Socket) => void {
  return (error, socket) => {
    // As Node's own listener does.
    const { _httpMessage: answer } = socket as Socket & { _httpMessage?: ServerResponse | null }
    if (!socket.writable || error.code === 'ECONNRESET' || answer?.headersSent) return void socket.destroy()
    const [status, message, code = 'INVALID_REQUEST'] = REFUSALS[error.code ?? ''] ?? MALFORMED
    const requestId = randomUUID()
    logger?.info(
      { requestId, status, reason: error.code, remoteAddress: socket.remoteAddress },
      'malformed request'
    )
    const body = JSON.stringify({ error: { code, message, request_id: requestId } })
    const headers = {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(body),
      connection: 'close',
      ...plainSecurityHeaders(config, requestId)
    }
    // A request to HEAD that came in several packets can't be told from another any more.
    const isHead = String(error.rawPacket).startsWith('HEAD ')
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${isHead ? '' : body}`)
  }
}

/**
 * A listener of `checkExpectation`, which Node calls for any Expect but 100-continue: 417 in the one error
 * shape.
 */
export function answerExpectation(
  config: Pick<Config, 'ALLOWED_ORIGINS'>
): (request: IncomingMessage, response: ServerResponse) => void {
  return ({ headers }, response) => {
    const requestId = randomUUID()
    const message =
      `The header Expect has the value '${String(headers.expect).slice(0, 40)}', which ` +
      'is not supported; leave the header out, or send 100-continue.'
    response.writeHead(417, {
      'content-type': 'application/json; charset=utf-8',
      connection: 'close',
      ...plainSecurityHeaders(config, requestId)
    })
    response.end(JSON.stringify({ error: { code: 'INVALID_REQUEST', message, request_id: requestId } }))
  }
}
