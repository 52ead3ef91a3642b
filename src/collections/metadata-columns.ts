import type { Filter, RangeOperator, Scalar } from './filter.js'
import { compareInstants, Instant, instantKey, toInstant } from './instant.js'
import { RowSet } from './row-set.js'

/** A value as it is compared: dates and times with a zone as instants. */
export type Value = Scalar | Instant
/** What a field of one record holds: a value, or the values of a list. */
export type Cell = Value | Value[]

const NO_FIELDS: string[] = []

/** The cells of one field by row, and how many rows hold one. V8 keeps a list with few of them as a dictionary. */
export interface Column {
  cells: (Cell | undefined)[]
  count: number
}

/**
 * The metadata of a collection's records by field, so that a filter is a scan of the columns it names: extracting
 * JSON from 100,000 rows of the store takes tens of milliseconds, a column of as many about one.
 */
export class MetadataColumns {
  readonly #columns = new Map<string, Column>()
  /** The fields of each row. */
  readonly #fields: string[][] = []
  /** Those of the last one: records are mostly alike, and share one list. */
  #lastFields = NO_FIELDS

  /** Puts the metadata of a record in place of what its row held. */
  set(row: number, metadata: Record<string, unknown> | null | undefined): void {
    this.remove(row)
    const cells = flatten(metadata ?? {})
    const fields = [...cells.keys()]
    if (fields.length !== this.#lastFields.length || fields.some((field, i) => field !== this.#lastFields[i])) this.#lastFields = fields
    this.#fields[row] = this.#lastFields
    for (const [field, cell] of cells) {
      let column = this.#columns.get(field)
      if (!column) this.#columns.set(field, (column = { cells: [], count: 0 }))
      column.cells[row] = cell
      column.count++
    }
  }

  /** Empties a row. */
  remove(row: number): void {
    for (const field of this.#fields[row] ?? []) {
      const column = this.#columns.get(field)!
      column.cells[row] = undefined
      if (--column.count === 0) this.#columns.delete(field)
    }
    // A row that was used stays below the bound of the sets.
    if (row < this.#fields.length) this.#fields[row] = NO_FIELDS
  }

  /** The columns by field. */
  get columns(): ReadonlyMap<string, Readonly<Column>> {
    return this.#columns
  }

  /** Rows ever used; numbers of removed records are used again. */
  get #bound(): number {
    return this.#fields.length
  }

  /** The rows that pass a filter; rows of no record may be among them. */
  rows(filter: Filter): RowSet {
    switch (filter.kind) {
      case 'not':
        return this.rows(filter.filter).complement()
      case 'and':
        return filter.filters.reduce((passing, inner) => passing.intersect(this.rows(inner)), this.#all())
      case 'or':
        return filter.filters.reduce((passing, inner) => passing.unite(this.rows(inner)), new RowSet(this.#bound))
      case 'exists':
        return this.#present(filter.field)
      case 'range':
        return this.#scan(filter.field, inRange(filter.operator, filter.value))
      case 'in':
        return this.#in(filter.field, new Set(filter.values))
    }
  }

  #all(): RowSet {
    return new RowSet(this.#bound).complement()
  }

  /** Null matches a missing field too, as in MongoDB. */
  #in(field: string, values: Set<Scalar>): RowSet {
    const passing = this.#scan(field, isAmong(values))
    return values.has(null) ? passing.unite(this.#present(field).complement()) : passing
  }

  #present(field: string): RowSet {
    return this.#select(field, () => true)
  }

  #scan(field: string, passes: (value: Value) => boolean): RowSet {
    return this.#select(field, (cell) => (Array.isArray(cell) ? cell.some(passes) : passes(cell)))
  }

  #select(field: string, passes: (cell: Cell) => boolean): RowSet {
    const passing = new RowSet(this.#bound)
    const cells = this.#columns.get(field)?.cells ?? []
    for (let row = 0; row < cells.length; row++) {
      const cell = cells[row]
      if (cell !== undefined && passes(cell)) passing.add(row)
    }
    return passing
  }
}

/**
 * The fields of an object by path; lists give their scalars, and the objects in them their fields. A path that is there
 * twice (`{"a.b": 1, "a": {"b": 2}}`) holds both values. An object is there, and has no value of its own.
 */
function flatten(metadata: Record<string, unknown>): Map<string, Cell> {
  const cells = new Map<string, Cell>()
  const put = (path: string, scalars: Scalar[], isList: boolean) => {
    const values = scalars.map(toValue)
    const cell = cells.get(path)
    if (Array.isArray(cell)) for (const value of values) cell.push(value)
    else if (cell !== undefined) cells.set(path, [cell, ...values])
    else cells.set(path, isList ? values : values[0])
  }
  const walk = (value: unknown, path: string) => {
    if (isScalar(value)) return put(path, [value], false)
    if (Array.isArray(value)) {
      put(path, value.filter(isScalar), true)
      for (const item of value) if (!isScalar(item) && !Array.isArray(item)) walkFields(item, `${path}.`)
      return
    }
    put(path, [], true)
    walkFields(value as Record<string, unknown>, `${path}.`)
  }
  const walkFields = (object: Record<string, unknown>, prefix: string) => {
    for (const [key, value] of Object.entries(object)) walk(value, prefix + key)
  }
  walkFields(metadata, '')
  return cells
}

function isScalar(value: unknown): value is Scalar {
  return value === null || typeof value !== 'object'
}

/** A value as it is compared. */
function toValue(scalar: Scalar): Value {
  return (typeof scalar === 'string' && toInstant(scalar)) || scalar
}

/** A value as it was sent. */
export function toScalar(value: Value): Scalar {
  return value instanceof Instant ? value.text : value
}

/** Instants equal others of the same moment, however they are spelled. */
function isAmong(wanted: Iterable<Scalar>): (value: Value) => boolean {
  const values = [...wanted].map(toValue)
  const scalars = new Set(values)
  const moments = new Set(values.flatMap((value) => (value instanceof Instant ? [instantKey(value)] : [])))
  if (moments.size === 0) return (value) => scalars.has(value)
  return (value) => (value instanceof Instant ? moments.has(instantKey(value)) : scalars.has(value))
}

const COMPARE: Record<RangeOperator, (value: number | string, bound: number | string) => boolean> = {
  $gt: (value, bound) => value > bound,
  $gte: (value, bound) => value >= bound,
  $lt: (value, bound) => value < bound,
  $lte: (value, bound) => value <= bound
}

/** Numbers compare with numbers, instants with instants, and all other strings with strings by code units. */
function inRange(operator: RangeOperator, bound: number | string): (value: Value) => boolean {
  const compare = COMPARE[operator]
  if (typeof bound === 'number') return (value) => typeof value === 'number' && compare(value, bound)
  const instant = toInstant(bound)
  return (value) => {
    if (instant && value instanceof Instant) return compare(compareInstants(value, instant), 0)
    const scalar = toScalar(value)
    return typeof scalar === 'string' && compare(scalar, bound)
  }
}
