import { codeSamples } from './code-samples/code-samples.js'
import type { Answer, Operation } from './code-samples/operation.js'
import { DOCUMENTED_ERRORS, documented } from './error-guide.js'
import { ErrorBody } from '../schemas.js'
import { errorsOf } from './operation-errors.js'

/**
 * What the operations refer to: the one error shape, each error as an example, and the header that all take.
 */
export const SHARED_COMPONENTS = {
  parameters: {
    RequestTimeout: {
      name: 'X-Request-Timeout',
      in: 'header' as const,
      required: false,
      schema: { type: 'number' as const, minimum: 0.001, maximum: 3600 },
      description:
        'Time limit of the request in seconds. When it has passed, the answer is 504 and the remaining ' +
        'work is dropped; requests that cannot finish in time are rejected at once.'
    }
  },
  headers: {
    RetryAfter: { description: 'Seconds after which to try again.', schema: { type: 'integer' as const } }
  },
  schemas: { Error: ErrorBody },
  examples: Object.fromEntries(
    DOCUMENTED_ERRORS.map(({ code, status, message, meaning, remedy }) => [
      code,
      {
        summary: meaning,
        description: remedy,
        'x-status': status,
        value: { error: { code, message, request_id: '6f0c5a3e-1f0b-4c8e-9d43-2b1a7c90e1d5' } }
      }
    ])
  )
}

/** Statuses with Retry-After. */
const WITH_RETRY = new Set([429, 503])

/**
 * Completes what the schemas of the routes say: the errors of each operation, code that calls it, files as
 * strings.
 */
export function describe<D extends { paths?: object }>(document: D): D {
  const described = binaryAsStrings(document)
  for (const [path, operations] of Object.entries(described.paths ?? {}) as [
    string,
    Record<string, Operation>
  ][]) {
    for (const [method, operation] of Object.entries(operations)) {
      if (path.startsWith('/v1/'))
        operation.parameters = [
          ...(operation.parameters ?? []),
          { $ref: '#/components/parameters/RequestTimeout' }
        ]
      describeErrors(path, operation)
      operation['x-codeSamples'] = codeSamples(operation, { method, path })
    }
  }
  return described
}

/** Puts the codes that an operation may answer in the place of its 4XX and 5XX. */
function describeErrors(path: string, operation: Operation): void {
  const { answers, within } = errorsOf(path, operation)
  const responses = Object.fromEntries(
    Object.entries(operation.responses).filter(([status]) => !/^[45]XX$/.test(status))
  )
  const possible = documented(answers)
  for (const status of new Set(possible.map((error) => error.status))) {
    const errors = possible.filter((error) => error.status === status)
    const answer: Answer & { headers?: object } = {
      description: errors.map(({ code }) => code).join(', '),
      ...(WITH_RETRY.has(status) && {
        headers: { 'Retry-After': { $ref: '#/components/headers/RetryAfter' } }
      }),
      content: {
        'application/json': {
          schema: { $ref: '#/components/schemas/Error' },
          examples: Object.fromEntries(
            errors.map(({ code }) => [code, { $ref: `#/components/examples/${code}` }])
          )
        }
      }
    }
    // /health answers 503 with a body of its own.
    responses[status] ??= answer
  }
  operation.responses = responses
  if (within.length > 0) operation['x-inner-errors'] = documented(within).map(({ code }) => code)
}

/** Files of a form reach validation as objects; in OpenAPI they are strings of format binary. */
function binaryAsStrings<T extends object>(document: T): T {
  return JSON.parse(JSON.stringify(document), (_, value) =>
    value?.format === 'binary' ? { ...value, type: 'string' } : value
  )
}
