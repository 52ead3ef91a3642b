import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { Internal, InvalidRequest, toErrorShape, type ErrorShape } from './errors.js'

/** Fastify's own errors under the names that this API gives them. */
const FRAMEWORK_CODES: Record<string, string> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_REQ_FILE_TOO_LARGE: 'IMAGE_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'MEDIA_TYPE_UNSUPPORTED'
}

/** Seconds after which a client turned away by load should try again: what the error says, and a moment where it says nothing. */
function retryAfterSeconds(error: Error & { retryAfterMs?: number }): number {
  return Math.max(1, Math.ceil((error.retryAfterMs ?? 0) / 1000))
}

/** What a caller is told of an error. Faults of ours become INTERNAL, without their message. */
export function describeError(error: FastifyError): ErrorShape {
  if (error.validation) return toErrorShape(new InvalidRequest(error.message))
  const { code, message, statusCode } = toErrorShape(error)
  if (statusCode >= 500 && code.startsWith('FST_')) return toErrorShape(new Internal())
  if (code.startsWith('FST_')) return { code: FRAMEWORK_CODES[code] ?? 'INVALID_REQUEST', message, statusCode }
  return { code, message, statusCode }
}

/** Answers with the one error shape; logs what is not the caller's fault, with its cause. */
export function errorHandler(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const { code, message, statusCode } = describeError(error)
  if (statusCode >= 500) request.log.error({ err: error, code }, 'request failed')
  if ((statusCode === 429 || statusCode === 503) && !reply.hasHeader('retry-after')) reply.header('retry-after', retryAfterSeconds(error))
  if (statusCode === 401) reply.header('www-authenticate', 'Bearer')
  reply.code(statusCode).send({ error: { code, message, request_id: request.id } })
}
