// What openapi.yaml promises: the operations, and whether an answer keeps to it.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { parse } from 'yaml'

const file = fileURLToPath(new URL('../../openapi.yaml', import.meta.url))
const document = parse(readFileSync(file, 'utf8'))
const repository = fileURLToPath(new URL('../..', import.meta.url))

const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/
const ajv = new Ajv2020({
  strict: false,
  allErrors: false,
  formats: { 'date-time': DATE_TIME, uuid: /^[0-9a-f-]{36}$/, binary: true }
})
ajv.addSchema({ ...document, $id: 'openapi' })

const resolve = (node) =>
  node.$ref
    ? node.$ref
        .slice(2)
        .split('/')
        .reduce((at, key) => at[key], document)
    : node
const escaped = (part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))
const pointer = (...parts) => `openapi#/${parts.map(escaped).join('/')}`

/** Every operation: its id, method, path, scope, parameters, bodies by type, and what it may answer. */
export const OPERATIONS = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    id: operation.operationId,
    method: method.toUpperCase(),
    path,
    scope: operation['x-scope'],
    parameters: (operation.parameters ?? []).map(resolve),
    bodies: Object.entries(operation.requestBody?.content ?? {}).map(([type, { schema }]) => ({
      type,
      schema
    })),
    responses: operation.responses,
    inner: operation['x-inner-errors'] ?? []
  }))
)

const codesIn = (responses, status) =>
  Object.keys(responses[status]?.content?.['application/json']?.examples ?? {})
const isKnownCode = (code) => Object.hasOwn(document.components.examples, code)

const validators = new Map()
function validatorOf({ path, method }, status) {
  const place = pointer(
    'paths',
    path,
    method.toLowerCase(),
    'responses',
    String(status),
    'content',
    'application/json',
    'schema'
  )
  if (!validators.has(place)) validators.set(place, ajv.compile({ $ref: place }))
  return validators.get(place)
}
const isErrorShape = ajv.compile({ $ref: pointer('components', 'schemas', 'Error') })

/** A stack trace, a path of the installation, or one of the data folder. */
function leakIn(text, dataDir) {
  const leak =
    /\n\s+at .+:\d+|node:internal|node_modules|file:\/\/\/(?!etc\/hostname)/.exec(text) ??
    [repository, dataDir].map((path) => text.includes(path) && [path]).find(Boolean)
  return leak ? `shows ${JSON.stringify(leak[0].slice(0, 80))}` : undefined
}

/**
 * What is wrong with an answer to a request, in a line that is the same for the same fault; undefined where
 * nothing is.
 */
export function faultOf(request, { status, headers, text }, { dataDir }) {
  const type = headers['content-type'] ?? ''
  const isJson = type.startsWith('application/json')
  const leak =
    /json|text\/plain/.test(type) && !request.operation?.id.startsWith('export')
      ? leakIn(text, dataDir)
      : undefined
  if (leak) return leak
  let body
  if (isJson && text !== '') {
    try {
      body = JSON.parse(text)
    } catch {
      return `${status} is not JSON`
    }
  }
  const refusal = pictureFault(request.picture, status, body)
  if (refusal) return refusal
  if (status >= 500 && status !== 503 && !(status === 504 && request.hasDeadline))
    return `${status} ${body?.error?.code}`
  if (status >= 400) return request.method === 'HEAD' ? undefined : errorFault(request, status, body)
  return status < 300 && request.operation
    ? successFault(request, { status, isJson, type, text, body })
    : undefined
}

/** What HTTP itself has a status for is rejected before any operation is known. */
const PROTOCOL_STATUSES = [408, 414, 417, 431]

function errorFault({ operation, isStray }, status, body) {
  if (body === undefined || (!isErrorShape(body) && operation?.id !== 'getReady'))
    return `${status} is not of the error shape`
  const code = body.error?.code
  if (body.error && (/[\x00-\x1f\x7f]/.test(body.error.message) || body.error.message.length > 1000))
    return `${status} ${code} has a message that is not one short line`
  const isDeclared =
    operation === undefined ||
    operation.id === 'getReady' ||
    isStray ||
    (PROTOCOL_STATUSES.includes(status) && ['INVALID_REQUEST', 'REQUEST_TIMEOUT'].includes(code)) ||
    codesIn(operation.responses, status).includes(code)
  if (!isDeclared) return `${status} ${code} is not declared`
  if (body.error && !isKnownCode(code)) return `${status} ${code} is unknown`
}

function successFault({ operation, mayPass }, { status, isJson, type, text, body }) {
  if (mayPass === false) return `${status} without the scope ${operation.scope}`
  const response = operation.responses[status]
  if (!response) return `${status} is not declared`
  const types = Object.keys(response.content ?? {})
  if (status !== 204 && types.length > 0 && !types.some((known) => type.startsWith(known.replace('*', ''))))
    return `${status} of the type ${type}`
  if (isJson) {
    const validate = validatorOf(operation, status)
    if (!validate(body))
      return (
        `${status} is not as described: ${validate.errors[0].schemaPath.slice(-60)} ` +
        `${validate.errors[0].message}`
      )
  }
  return innerFault(
    operation,
    type.startsWith('application/x-ndjson') ? text.split('\n').filter(Boolean) : isJson ? [body] : []
  )
}

/** Faults in what stands for one record or line of many. */
function innerFault({ id, inner }, answers) {
  for (const answer of answers) {
    let value = answer
    if (typeof answer === 'string') {
      try {
        value = JSON.parse(answer)
      } catch {
        return 'a line is not JSON'
      }
    }
    for (const { status, error } of value.results ?? (id === 'bulkRecords' ? [value] : [])) {
      if (status === 'failed' && !inner.includes(error?.code)) return `${error?.code} within is not declared`
      if (['INTERNAL', 'ENCODER_FAILED', 'WORKER_DIED'].includes(error?.code)) return `${error.code} within`
    }
  }
}

const PICTURE_CODES = ['IMAGE_INVALID', 'IMAGE_TOO_LARGE', 'IMAGE_UNSUPPORTED']

/**
 * Whole pictures are taken, SVG is not, in whatever wrapping, and what is rejected is said to be a picture
 * that can't be read.
 */
function pictureFault(kind, status, body) {
  if (kind === undefined || status === 429 || status >= 500) return
  const code = status === 200 ? body?.results?.[0]?.error?.code : (body?.error?.code ?? 'NONE')
  if (code === undefined) return kind.startsWith('svg') ? 'SVG is taken' : undefined
  if (kind === 'valid') return `a whole picture is refused: ${code}`
  return PICTURE_CODES.includes(code) ? undefined : `a picture is refused: ${code}`
}
