import type { FastifyRequest } from 'fastify'

/** A `preValidation` hook of calls whose body may be left out: none at all asks for the defaults. */
export async function optionalBody(request: FastifyRequest): Promise<void> {
  if (request.body === undefined && !request.isMultipart()) request.body = {}
}
