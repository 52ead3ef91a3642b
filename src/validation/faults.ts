import type { ErrorObject } from 'ajv'
import { countCharacters } from './code-points.js'
import { closestName } from './closest-name.js'
import { choose, typeOf, typesOf, type Schema } from './union.js'

/** How the place of a fault is named, and faults that lie in it. */
const PARTS: Record<string, [whole: string, field: string]> = {
  body: ['The body', 'The field'],
  querystring: ['The query', 'The query parameter'],
  params: ['The path', 'The path parameter'],
  headers: ['The headers', 'The header']
}

/** Most names that are listed. */
const MAX_LISTED = 24
/** Characters of a value that are shown. */
const MAX_SHOWN = 40

/**
 * One sentence on what Ajv found wrong: the field, the fault, and what is allowed. Ajv must be verbose, and
 * stop at the first fault. `part` is the part of a request (`body`, `querystring`), or what else the whole is
 * called.
 */
export function describeFaults(errors: ErrorObject[], part: string): string {
  const error = deciding(errors)
  if (!error) return `${PARTS[part]?.[0] ?? part} is not valid.`
  return describe(error, part)
}

/** The fault that counts: of a union that of the branch that was probably meant. */
function deciding(errors: ErrorObject[]): ErrorObject | undefined {
  const last = errors.at(-1)
  if (last?.keyword !== 'anyOf') return last
  const branch = choose(last.schema as Schema[], last.data)
  if (branch === undefined) return last
  const inner = errors.filter(({ schemaPath }) => schemaPath.startsWith(`${last.schemaPath}/${branch}/`))
  const found = deciding(inner)
  // Among fixed values all that are allowed are worth telling.
  return found &&
    !(found.instancePath === last.instancePath && ['const', 'enum', 'type'].includes(found.keyword))
    ? found
    : last
}

function describe(error: ErrorObject, part: string): string {
  const { keyword, params, data } = error
  switch (keyword) {
    case 'additionalProperties':
      return unknownField(error, { part, name: params.additionalProperty })
    case 'required':
      return missingField(error, part)
    case 'type':
      if (part === 'body' && error.instancePath === '' && (data === null || data === undefined))
        return 'The request body is missing.'
      return `${subject(error, part)} must be ${typesOf(error.parentSchema as Schema)}, not ${shown(data)}.`
    case 'anyOf':
      return (
        `${subject(error, part)} must be ` +
        `${oneOf([...new Set((error.schema as Schema[]).map(typesOf))])}, not ${shown(data)}.`
      )
    case 'enum':
    case 'const':
      return `${subject(error, part)} must be ${typesOf(error.parentSchema as Schema)}, not ${shown(data)}.`
    case 'minProperties':
    case 'maxProperties':
      return needsFields(error, part)
    default:
      return `${subject(error, part)} ${bounds(error)}.`
  }
}

/** What is wrong with a value whose type is right. */
function bounds({ keyword, params: { limit, pattern }, data, message }: ErrorObject): string {
  switch (keyword) {
    case 'minimum':
      return `must be at least ${limit}, not ${shown(data)}`
    case 'maximum':
      return `must be at most ${limit}, not ${shown(data)}`
    case 'minLength':
      return limit === 1
        ? 'is empty'
        : `has ${countCharacters(data as string)} characters; at least ${limit} are required`
    case 'maxLength':
      return `has ${countCharacters(data as string)} characters; at most ${limit} are allowed`
    case 'minItems':
      return limit === 1
        ? 'is an empty list'
        : `has ${(data as unknown[]).length} items; at least ${limit} are required`
    case 'maxItems':
      return `has ${(data as unknown[]).length} items; at most ${limit} are allowed`
    case 'uniqueItems':
      return 'has a duplicate item'
    case 'pattern':
      return `is ${shown(data)}, which does not match ${pattern}`
    default:
      return message ?? 'is not valid'
  }
}

function unknownField(error: ErrorObject, { part, name }: { part: string; name: string }): string {
  const known = Object.keys((error.parentSchema as Schema).properties ?? {})
  const meant = closestName(name, known)
  const [, field] = PARTS[part] ?? [part, 'The field']
  const hint = meant ? `did you mean '${meant}'?` : listed(known)
  return (
    `${field} '${pathOf(error.instancePath, shorten(name))}' is ` +
    `unknown${hint ? `: ${hint}` : ''}${meant ? '' : '.'}`
  )
}

function listed(names: string[]): string {
  return names.length > 0 && names.length <= MAX_LISTED ? `the fields are ${names.join(', ')}` : ''
}

function missingField(error: ErrorObject, part: string): string {
  const { missingProperty: name } = error.params as { missingProperty: string }
  const { properties = {}, additionalProperties } = error.parentSchema as Schema
  if (isFile(properties[name])) return `The form has no ${name}: no file was chosen for '${name}'.`
  const sent = Object.keys(error.data as object).filter(
    (key) => additionalProperties === false && !Object.hasOwn(properties, key)
  )
  const misspelt = sent.find((key) => closestName(key, [name]))
  if (misspelt !== undefined) return unknownField(error, { part, name: misspelt })
  const [, field] = PARTS[part] ?? [part, 'The field']
  return `${field} '${pathOf(error.instancePath, name)}' is missing.`
}

/** Whether a schema is that of a file in a form, or of several. */
function isFile(schema?: Schema): boolean {
  return schema?.format === 'binary' || schema?.items?.format === 'binary'
}

function needsFields(error: ErrorObject, part: string): string {
  const { properties = {}, minProperties, maxProperties } = error.parentSchema as Schema
  const many =
    minProperties === 1 && maxProperties === 1
      ? 'exactly one'
      : error.keyword === 'minProperties'
        ? `at least ${minProperties}`
        : `at most ${maxProperties}`
  return `${subject(error, part)} needs ${many} of ${Object.keys(properties).join(', ')}.`
}

function subject({ instancePath }: ErrorObject, part: string): string {
  const [whole, field] = PARTS[part] ?? [part, 'The field']
  return instancePath === '' ? whole : `${field} '${pathOf(instancePath)}'`
}

/** `/query/0/text` as it is written in JavaScript: `query[0].text`. */
function pathOf(instancePath: string, name?: string): string {
  const segments = instancePath
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'))
  const path = segments
    .map((segment) => (/^\d+$/.test(segment) ? `[${segment}]` : `.${shorten(segment)}`))
    .join('')
  return `${path}${name === undefined ? '' : `.${name}`}`.replace(/^\./, '')
}

/** A value as a message shows it. */
function shown(value: unknown): string {
  if (typeof value === 'string') return `'${shorten(value)}'`
  return typeof value === 'object' ? typeOf(value) : String(value)
}

function shorten(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text
}

function oneOf(names: string[]): string {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`
}
