/** What of a JSON schema is looked at. */
export interface Schema {
  type?: string | string[]
  const?: unknown
  enum?: unknown[]
  format?: string
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  anyOf?: Schema[]
  additionalProperties?: unknown
  minProperties?: number
  maxProperties?: number
}

const NAMES: Record<string, string> = {
  object: 'an object',
  array: 'a list',
  string: 'a string',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  null: 'null'
}

/**
 * The branch of a union that a value was probably meant for: of its type, and of objects the one that knows
 * most of its fields.
 */
export function choose(branches: Schema[], value: unknown): number | undefined {
  const scored = branches
    .map((branch, i) => ({ i, score: score(branch, value) }))
    .filter(({ score }) => score >= 0)
  scored.sort((a, b) => b.score - a.score)
  return scored[0]?.i
}

/**
 * -1 for a branch of another type; else the fields that it knows, and half a point where it has all that it
 * requires.
 */
function score(branch: Schema, value: unknown): number {
  if (branch.anyOf) return Math.max(...branch.anyOf.map((inner) => score(inner, value)))
  if (branch.const !== undefined || branch.enum)
    return typeof (branch.const ?? branch.enum![0]) === typeof value ? 0 : -1
  const types = [branch.type ?? []].flat()
  const type = typeOf(value)
  if (!types.some((each) => NAMES[each] === type || (each === 'number' && type === NAMES.integer))) return -1
  if (type !== NAMES.object || !branch.properties) return 0
  const keys = Object.keys(value as object).slice(0, 100)
  const known = keys.filter((key) => Object.hasOwn(branch.properties!, key)).length
  return known + ((branch.required ?? []).every((name) => Object.hasOwn(value as object, name)) ? 0.5 : 0)
}

/** The type of a value in words. */
export function typeOf(value: unknown): string {
  if (value === null) return NAMES.null
  if (Array.isArray(value)) return NAMES.array
  if (Number.isInteger(value)) return NAMES.integer
  return NAMES[typeof value] ?? 'nothing'
}

/** What a schema allows, in words. */
export function typesOf({ type, const: constant, enum: values, anyOf }: Schema): string {
  if (anyOf) return [...new Set(anyOf.map(typesOf))].join(' or ')
  const allowed = values ?? (constant === undefined ? undefined : [constant])
  if (allowed) return allowed.map((value) => JSON.stringify(value)).join(' or ')
  return [type ?? 'a value']
    .flat()
    .map((each) => NAMES[each] ?? each)
    .join(' or ')
}
