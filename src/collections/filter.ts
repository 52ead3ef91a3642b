import { FilterInvalid } from '../errors.js'
import { isObject } from '../json/is-object.js'
import { inexactMessage, isExact } from '../validation/exact-numbers.js'
import { meantOperator, unknownOperator } from './filter-operators.js'

/** A value that metadata is compared with. */
export type Scalar = string | number | boolean | null

/** A condition on metadata, parsed. A field is a path with dots; of a list any element may match. */
export type Filter =
  | { kind: 'and' | 'or'; filters: Filter[] }
  | { kind: 'not'; filter: Filter }
  | { kind: 'in'; field: string; values: Scalar[] }
  | { kind: 'range'; field: string; operator: RangeOperator; value: number | string }
  | { kind: 'exists'; field: string }

export type RangeOperator = '$gt' | '$gte' | '$lt' | '$lte'

/** Most conditions of one filter. */
const MAX_CONDITIONS = 1000
const MAX_DEPTH = 16
/** Deepest JSON of such a filter: two levels each, and a condition with its list. */
const MAX_JSON_DEPTH = 2 * MAX_DEPTH + 2
/** Most characters of all fields and values. */
const MAX_CHARACTERS = 64 * 1024

/**
 * Parses a filter: `{"field": value}`, `{"field": {"$in": [...]}}` with $eq $ne $gt $gte $lt $lte $in $nin
 * $all $exists, and $and, $or, $nor, $not over filters. Several keys mean all of them. As in MongoDB, $ne and
 * $nin hold where the field is missing. Throws FILTER_INVALID with the path of what is wrong.
 */
export function parseFilter(filter: unknown): Filter {
  requireBounds(filter)
  let conditions = 0
  const count = () => {
    if (++conditions > MAX_CONDITIONS)
      throw new FilterInvalid(`The filter has more than ${MAX_CONDITIONS} conditions.`)
  }
  return parseObject(filter, { path: 'filter', depth: 0, count })
}

/**
 * Comes before all that recurses, and does not recurse itself: a filter may be nested thousands of levels
 * deep.
 */
function requireBounds(filter: unknown): void {
  const left: { value: unknown; depth: number }[] = [{ value: filter, depth: 0 }]
  let characters = 0
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { value, depth } = next
    if (typeof value === 'string') characters += value.length
    if (characters > MAX_CHARACTERS)
      throw new FilterInvalid(`The filter has more than ${MAX_CHARACTERS} characters.`)
    if (typeof value !== 'object' || value === null) continue
    if (depth > MAX_JSON_DEPTH)
      throw new FilterInvalid(`The filter is nested more than ${MAX_DEPTH} levels deep.`)
    const keys = Object.keys(value)
    characters += keys.length
    if (characters > MAX_CHARACTERS) continue
    for (const key of keys) {
      if (!Array.isArray(value)) characters += key.length
      left.push({ value: (value as Record<string, unknown>)[key], depth: depth + 1 })
    }
  }
}

interface Place {
  path: string
  depth: number
  count: () => void
}

function within(place: Place, step: string): Place {
  return { ...place, path: place.path + step, depth: place.depth + 1 }
}

function parseObject(filter: unknown, place: Place): Filter {
  if (!isObject(filter)) throw new FilterInvalid(`${place.path} must be an object.`)
  place.count()
  requireDepth(place)
  const entries = Object.entries(filter)
  if (place.depth > 0 && entries.length === 0) throw new FilterInvalid(`${place.path} has no condition.`)
  return all(entries.map(([key, value]) => parseEntry(key, value, within(place, `.${key}`))))
}

function parseEntry(key: string, value: unknown, place: Place): Filter {
  switch (key) {
    case '$and':
      return { kind: 'and', filters: parseFilters(value, place) }
    case '$or':
      return { kind: 'or', filters: parseFilters(value, place) }
    case '$nor':
      return { kind: 'not', filter: { kind: 'or', filters: parseFilters(value, place) } }
    case '$not':
      return { kind: 'not', filter: parseObject(value, place) }
  }
  if (key.startsWith('$')) throw new FilterInvalid(unknownOperator(place.path, key))
  return parseField(key, value, place)
}

function parseFilters(value: unknown, place: Place): Filter[] {
  if (!Array.isArray(value) || value.length === 0)
    throw new FilterInvalid(`${place.path} must be a list of filters.`)
  return value.map((inner, i) => parseObject(inner, { ...place, path: `${place.path}[${i}]` }))
}

function parseField(field: string, value: unknown, place: Place): Filter {
  if (Array.isArray(value))
    throw new FilterInvalid(`${place.path} must not be a list; ${insteadOfList(field)}`)
  if (!isObject(value)) return { kind: 'in', field, values: [scalar(value, place)] }
  const operators = Object.entries(value)
  if (operators.length === 0) throw new FilterInvalid(`${place.path} has no condition.`)
  return all(
    operators.map(([operator, operand]) =>
      parseCondition({ field, operator, operand }, within(place, `.${operator}`))
    )
  )
}

/** Qdrant's filters have lists under `must`, `should` and `must_not`. */
function insteadOfList(field: string): string {
  const meant = meantOperator(field)
  const hint = 'use $in to match any of several values, $all to match all of them.'
  return meant === undefined ? hint : `did you mean ${meant}? For a field with that name ${hint}`
}

function parseCondition(
  { field, operator, operand }: { field: string; operator: string; operand: unknown },
  place: Place
): Filter {
  place.count()
  switch (operator) {
    case '$eq':
      return { kind: 'in', field, values: [scalar(operand, place)] }
    case '$ne':
      return { kind: 'not', filter: { kind: 'in', field, values: [scalar(operand, place)] } }
    case '$in':
      return { kind: 'in', field, values: scalars(operand, place) }
    case '$nin':
      return { kind: 'not', filter: { kind: 'in', field, values: scalars(operand, place) } }
    case '$all':
      return parseAll(field, operand, place)
    case '$exists':
      if (typeof operand !== 'boolean') throw new FilterInvalid(`${place.path} must be true or false.`)
      return operand ? { kind: 'exists', field } : { kind: 'not', filter: { kind: 'exists', field } }
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      return { kind: 'range', field, operator, value: bound(operand, place) }
    case '$not':
      requireDepth(place)
      return { kind: 'not', filter: parseField(field, operand, place) }
    default:
      throw new FilterInvalid(unknownOperator(place.path, operator))
  }
}

function parseAll(field: string, operand: unknown, place: Place): Filter {
  const values = scalars(operand, place)
  if (values.length === 0) throw new FilterInvalid(`${place.path} must have a value.`)
  return all(values.map((value) => ({ kind: 'in', field, values: [value] })))
}

function all(filters: Filter[]): Filter {
  return filters.length === 1 ? filters[0] : { kind: 'and', filters }
}

function scalars(value: unknown, place: Place): Scalar[] {
  if (!Array.isArray(value)) throw new FilterInvalid(`${place.path} must be a list.`)
  return value.map((item, i) => scalar(item, { ...place, path: `${place.path}[${i}]` }))
}

function scalar(value: unknown, place: Place): Scalar {
  place.count()
  if (typeof value === 'number') return exact(value, place)
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  throw new FilterInvalid(`${place.path} must be a string, a number, true, false or null.`)
}

function bound(value: unknown, place: Place): number | string {
  if (typeof value === 'number') return exact(value, place)
  if (typeof value === 'string') return value
  throw new FilterInvalid(`${place.path} must be a number or a string.`)
}

function exact(value: number, { path }: Place): number {
  if (!isExact(value)) throw new FilterInvalid(inexactMessage(path))
  return value
}

function requireDepth({ path, depth }: Place): void {
  if (depth > MAX_DEPTH) throw new FilterInvalid(`${path} is nested more than ${MAX_DEPTH} levels deep.`)
}
