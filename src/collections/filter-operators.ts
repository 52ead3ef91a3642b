/** Operators that stand beside fields and take filters. */
export const FILTER_OPERATORS = ['$and', '$or', '$nor', '$not'] as const
/** Operators of a condition on one field. */
export const FIELD_OPERATORS = [
  '$eq',
  '$ne',
  '$gt',
  '$gte',
  '$lt',
  '$lte',
  '$in',
  '$nin',
  '$all',
  '$exists',
  '$not'
] as const

const KNOWN = [...new Set<string>([...FIELD_OPERATORS, ...FILTER_OPERATORS])]

/** How other databases spell operators, without signs and in lower case. */
const OTHER_NAMES: Record<string, string> = {
  equals: '$eq',
  equal: '$eq',
  is: '$eq',
  contains: '$eq',
  neq: '$ne',
  notequal: '$ne',
  notequals: '$ne',
  isnot: '$ne',
  notcontains: '$ne',
  notin: '$nin',
  oneof: '$in',
  anyof: '$in',
  any: '$in',
  noneof: '$nin',
  allof: '$all',
  containsall: '$all',
  ge: '$gte',
  le: '$lte',
  after: '$gt',
  before: '$lt',
  greaterthan: '$gt',
  lessthan: '$lt',
  must: '$and',
  should: '$or',
  mustnot: '$nor',
  none: '$nor'
}

/**
 * The operator that a name stands for elsewhere, or that it is but for signs and case; undefined where none
 * is near.
 */
export function meantOperator(name: string): string | undefined {
  const letters = name.toLowerCase().replace(/[^a-z]/g, '')
  const meant = `$${letters}`
  return KNOWN.includes(meant)
    ? meant
    : Object.hasOwn(OTHER_NAMES, letters)
      ? OTHER_NAMES[letters]
      : undefined
}

/** Says that a place in a filter names no operator, with the known ones. */
export function unknownOperator(path: string, name: string): string {
  const meant = meantOperator(name)
  return (
    `${path} is not an operator${meant ? `; did you mean ${meant}?` : '.'} The operators are ` +
    `${KNOWN.join(', ')}.`
  )
}
