import { FilterInvalid } from '../errors.js'

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
/** Longest filter, as JSON. */
const MAX_CHARACTERS = 64 * 1024
const OPERATORS = '$in, $nin, $gt, $gte, $lt, $lte, $ne, $exists, $and, $or, $not'

/**
 * Parses a filter: `{"field": value}`, `{"field": {"$in": [...]}}` with $in $nin $gt $gte $lt $lte $ne $exists, and
 * $and, $or, $not over filters. Several keys mean all of them. As in MongoDB, $ne and $nin hold where the field is
 * missing. Throws FILTER_INVALID with the path of what is wrong.
 */
export function parseFilter(filter: unknown): Filter {
  if (JSON.stringify(filter ?? null).length > MAX_CHARACTERS) throw new FilterInvalid(`The filter is over ${MAX_CHARACTERS} characters.`)
  let conditions = 0
  const count = () => {
    if (++conditions > MAX_CONDITIONS) throw new FilterInvalid(`The filter has more than ${MAX_CONDITIONS} conditions.`)
  }
  return parseObject(filter, { path: 'filter', depth: 0, count })
}

interface Place {
  path: string
  depth: number
  count: () => void
}

function parseObject(filter: unknown, place: Place): Filter {
  if (!isObject(filter)) throw new FilterInvalid(`${place.path} must be an object.`)
  place.count()
  if (place.depth > 0 && Object.keys(filter).length === 0) throw new FilterInvalid(`${place.path} has no condition.`)
  if (place.depth > MAX_DEPTH) throw new FilterInvalid(`${place.path} is nested over ${MAX_DEPTH} deep.`)
  return all(Object.entries(filter).map(([key, value]) => parseEntry(key, value, { ...place, path: `${place.path}.${key}`, depth: place.depth + 1 })))
}

function parseEntry(key: string, value: unknown, place: Place): Filter {
  if (key === '$and' || key === '$or') {
    if (!Array.isArray(value) || value.length === 0) throw new FilterInvalid(`${place.path} must be a list of filters.`)
    return { kind: key === '$and' ? 'and' : 'or', filters: value.map((inner, i) => parseObject(inner, { ...place, path: `${place.path}[${i}]` })) }
  }
  if (key === '$not') return { kind: 'not', filter: parseObject(value, place) }
  if (key.startsWith('$')) throw new FilterInvalid(`${place.path} is no operator; they are ${OPERATORS}.`)
  if (!isObject(value)) return { kind: 'in', field: key, values: [scalar(value, place)] }
  const operators = Object.entries(value)
  if (operators.length === 0) throw new FilterInvalid(`${place.path} has no condition.`)
  return all(operators.map(([operator, operand]) => parseCondition({ field: key, operator, operand }, { ...place, path: `${place.path}.${operator}` })))
}

function parseCondition({ field, operator, operand }: { field: string; operator: string; operand: unknown }, place: Place): Filter {
  place.count()
  switch (operator) {
    case '$in':
      return { kind: 'in', field, values: scalars(operand, place) }
    case '$nin':
      return { kind: 'not', filter: { kind: 'in', field, values: scalars(operand, place) } }
    case '$ne':
      return { kind: 'not', filter: { kind: 'in', field, values: [scalar(operand, place)] } }
    case '$exists':
      if (typeof operand !== 'boolean') throw new FilterInvalid(`${place.path} must be true or false.`)
      return operand ? { kind: 'exists', field } : { kind: 'not', filter: { kind: 'exists', field } }
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      if (typeof operand !== 'number' && typeof operand !== 'string') throw new FilterInvalid(`${place.path} must be a number or a string.`)
      return { kind: 'range', field, operator, value: operand }
    case '$not':
      return { kind: 'not', filter: parseEntry(field, operand, place) }
    default:
      throw new FilterInvalid(`${place.path} is no operator; they are ${OPERATORS}.`)
  }
}

function all(filters: Filter[]): Filter {
  return filters.length === 1 ? filters[0] : { kind: 'and', filters }
}

function scalars(value: unknown, place: Place): Scalar[] {
  if (!Array.isArray(value)) throw new FilterInvalid(`${place.path} must be a list.`)
  return value.map((item) => scalar(item, place))
}

function scalar(value: unknown, place: Place): Scalar {
  place.count()
  if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return value as Scalar
  throw new FilterInvalid(`${place.path} must be a string, a number, true, false or null.`)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
