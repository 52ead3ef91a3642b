import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { ClientGone, Internal, InvalidRequest, toErrorShape, type ErrorShape } from '../errors.js'
import { printable } from '../terminal/printable.js'

/** Fastify's own errors under the names that this API gives them. */
const FRAMEWORK_CODES: Record<string, string> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_REQ_FILE_TOO_LARGE: 'IMAGE_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'MEDIA_TYPE_UNSUPPORTED'
}

/**
 * Seconds after which a client turned away by load should try again: what the error says, and a moment where
 * it says nothing.
 */
function retryAfterSeconds(error: Error & { retryAfterMs?: number }): number {
  return Math.max(1, Math.ceil((error.retryAfterMs ?? 0) / 1000))
}

/** What a caller is told of an error. Faults of ours become INTERNAL, without their message. */
export function describeError(error: FastifyError): ErrorShape {
  if (error.validation) return toErrorShape(new InvalidRequest(error.message))
  const { code, message, statusCode } = toErrorShape(error)
  if (statusCode >= 500 && code.startsWith('FST_')) return toErrorShape(new Internal())
  if (code.startsWith('FST_'))
    return { code: FRAMEWORK_CODES[code] ?? 'INVALID_REQUEST', message, statusCode }
  return { code, message, statusCode }
}

/** Longest message of an error: it may repeat what the caller sent. */
const LONGEST_MESSAGE = 500

/** A message as one line of bounded length. */
function oneLine(message: string): string {
  const line = printable(message)
  return line.length > LONGEST_MESSAGE
    ? `${line.slice(0, LONGEST_MESSAGE).replace(/[\ud800-\udbff]$/, '')}…`
    : line
}

/**
 * Whether the client closed the connection before its body had come in: whatever failed by that is no fault
 * of the service.
 */
function isCutOff({ raw }: FastifyRequest): boolean {
  return raw.destroyed && !raw.complete
}

/** What is said of a file, and does not hold for the error that is sent in its place. */
const FILE_HEADERS = ['content-length', 'content-disposition', 'etag', 'repr-digest']

/** Answers with the one error shape; logs what is not the caller's fault, with its cause. */
export function errorHandler(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const described = describeError(error)
  const { code, message, statusCode } =
    described.code === 'INTERNAL' && isCutOff(request) ? toErrorShape(new ClientGone()) : described
  if (statusCode >= 500) request.log.error({ err: error, code }, 'request failed')
  if ((statusCode === 429 || statusCode === 503) && !reply.hasHeader('retry-after'))
    reply.header('retry-after', retryAfterSeconds(error))
  if (statusCode === 401) reply.header('www-authenticate', 'Bearer')
  for (const name of FILE_HEADERS) reply.removeHeader(name)
  reply
    .code(statusCode)
    .type('application/json; charset=utf-8')
    .send({ error: { code, message: oneLine(message), request_id: request.id } })
}
