export type Scalar = string | number | boolean
export interface Range {
  $gte?: number | string
  $lte?: number | string
}

/** What a field of the metadata must be: one of some values, or between two bounds. */
export interface Condition {
  field: string
  wanted: Scalar[] | Range
}

/** A condition as the link has it: `group=["flags","symbols"]`, `year={"$gte":1990}`. */
export const writeCondition = ({ field, wanted }: Condition): string => `${field}=${JSON.stringify(wanted)}`

/** Reads `writeCondition`'s form; undefined for anything else. */
export function readCondition(written: string): Condition | undefined {
  const [, field, json] = /^(.+?)=([[{][^]*)$/.exec(written) ?? []
  if (json === undefined) return undefined
  try {
    const wanted = asWanted(JSON.parse(json))
    return isWanted(wanted) ? { field, wanted } : undefined
  } catch {
    return undefined
  }
}

/** `{"$eq": value}` and `{"$in": [..]}`, as the API takes them, are lists of values. */
function asWanted(read: unknown): unknown {
  const keys = Object.keys(read as object)
  if (keys.length !== 1) return read
  const { $eq, $in } = read as { $eq?: unknown; $in?: unknown }
  return keys[0] === '$eq' ? [$eq] : keys[0] === '$in' && Array.isArray($in) ? $in : read
}

/** Whether it is what a condition wants: anyone may write a link. */
function isWanted(read: unknown): read is Condition['wanted'] {
  const isOf = (types: string[]) => (value: unknown) => types.includes(typeof value)
  if (Array.isArray(read)) return read.length > 0 && read.every(isOf(['string', 'number', 'boolean']))
  const bounds = Object.keys(read as object)
  return (
    bounds.length > 0 &&
    bounds.every((bound) => bound === '$gte' || bound === '$lte') &&
    Object.values(read as object).every(isOf(['number', 'string']))
  )
}

/** The filter of the API that stands for all conditions; undefined for none. */
export function toFilter(conditions: Condition[]): Record<string, unknown> | undefined {
  const filters = conditions.map(({ field, wanted }) => ({
    [field]: Array.isArray(wanted) ? { $in: wanted } : wanted
  }))
  return filters.length > 1 ? { $and: filters } : filters[0]
}

/** The conditions with one field's replaced; without a wish that field is free again. */
export function withCondition(
  conditions: Condition[],
  field: string,
  wanted: Condition['wanted']
): Condition[] {
  if (Object.keys(wanted).length === 0) return conditions.filter((each) => each.field !== field)
  const isThere = conditions.some((each) => each.field === field)
  return isThere
    ? conditions.map((each) => (each.field === field ? { field, wanted } : each))
    : [...conditions, { field, wanted }]
}

/** The conditions with one value of a field let in, or no more. */
export function withValue(
  conditions: Condition[],
  field: string,
  { value, isWanted }: { value: Scalar; isWanted: boolean }
): Condition[] {
  const now = conditions.find((each) => each.field === field)?.wanted
  const others = (Array.isArray(now) ? now : []).filter((each) => each !== value)
  return withCondition(conditions, field, isWanted ? [...others, value] : others)
}

/** How a condition reads on its chip. */
export function describe({ field, wanted }: Condition): string {
  if (Array.isArray(wanted)) return `${field}: ${wanted.join(', ')}`
  const day = (bound: number | string) => String(bound).replace(/T.*/, '')
  if (wanted.$gte === undefined) return `${field} up to ${day(wanted.$lte!)}`
  return wanted.$lte === undefined
    ? `${field} from ${day(wanted.$gte)}`
    : `${field} ${day(wanted.$gte)} to ${day(wanted.$lte)}`
}
