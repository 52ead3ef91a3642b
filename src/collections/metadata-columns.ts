import type { Filter, RangeOperator, Scalar } from './filter.js'
import { compareInstants, Instant, instantKey, toInstant } from './instant.js'
import { RowSet } from './row-set.js'

/** A value as it is compared: dates and times with a zone as instants. */
export type Value = Scalar | Instant
/** What a field of one record holds: a value, or the values of a list. */
export type Cell = Value | Value[]

const NO_FIELDS: string[] = []

/**
 * The cells of one field by row, and how many rows hold one. V8 keeps a list with few of them as a
 * dictionary.
 */
export interface Column {
  cells: (Cell | undefined)[]
  count: number
  /** Values in all cells: a cell that is a list counts by its elements. */
  values: number
}

/** Rows from a number on (a multiple of 32) to before another. */
interface RowRange {
  from: number
  to: number
}

/**
 * Values that are compared between two places where the work may be interrupted: less than a millisecond's.
 */
const VALUES_A_STEP = 2 ** 15
/** Rows of a set that are kept in one word. */
const WORD = 32

/**
 * The metadata of a collection's records by field, so that a filter is a scan of the columns it names:
 * extracting JSON from 100,000 rows of the store takes tens of milliseconds, a column of as many about one.
 */
export class MetadataColumns {
  readonly #columns = new Map<string, Column>()
  /** The fields of each row. */
  readonly #fields: string[][] = []
  /** By evaluation under way, the words of rows that were written meanwhile. */
  readonly #written = new Set<Set<number>>()
  /** Those of the last one: records are mostly alike, and share one list. */
  #lastFields = NO_FIELDS

  /** Puts the metadata of a record in place of what its row held. */
  set(row: number, metadata: Record<string, unknown> | null | undefined): void {
    this.remove(row)
    const cells = flatten(metadata ?? {})
    const fields = [...cells.keys()]
    if (fields.length !== this.#lastFields.length || fields.some((field, i) => field !== this.#lastFields[i]))
      this.#lastFields = fields
    this.#fields[row] = this.#lastFields
    for (const [field, cell] of cells) {
      let column = this.#columns.get(field)
      if (!column) this.#columns.set(field, (column = { cells: [], count: 0, values: 0 }))
      column.cells[row] = cell
      column.count++
      column.values += valuesIn(cell)
    }
  }

  /** Empties a row. */
  remove(row: number): void {
    for (const words of this.#written) words.add(Math.floor(row / WORD))
    for (const field of this.#fields[row] ?? []) {
      const column = this.#columns.get(field)!
      column.values -= valuesIn(column.cells[row]!)
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

  /** Values that a filter is compared with: each condition with all values of its field. */
  cost(filter: Filter): number {
    switch (filter.kind) {
      case 'not':
        return this.cost(filter.filter)
      case 'and':
      case 'or':
        return filter.filters.reduce((sum, inner) => sum + this.cost(inner), 0)
      default:
        return this.#columns.get(filter.field)?.values ?? 0
    }
  }

  /** The rows that pass a filter; rows of no record may be among them. */
  rows(filter: Filter): RowSet {
    return this.#evaluate(filter, { from: 0, to: this.#bound })
  }

  /**
   * The rows that pass a filter, as `rows`, in work that may be interrupted. All conditions of a row are
   * evaluated at one time, and rows that are written meanwhile are evaluated again at the end: no record
   * passes in a mixed state.
   */
  *rowsInSteps(filter: Filter): Generator<void, RowSet> {
    const written = new Set<number>()
    this.#written.add(written)
    try {
      const parts: { from: number; rows: RowSet }[] = []
      const step = this.#rowsAStep(filter)
      for (let from = 0; from < this.#bound; from += step) {
        parts.push({ from, rows: this.#evaluate(filter, { from, to: Math.min(from + step, this.#bound) }) })
        yield
      }
      const passing = new RowSet(this.#bound)
      for (const { from, rows } of parts) passing.replace(from, rows)
      for (const word of written) {
        const from = word * WORD
        passing.replace(from, this.#evaluate(filter, { from, to: Math.min(from + WORD, this.#bound) }))
      }
      return passing
    } finally {
      this.#written.delete(written)
    }
  }

  /** Rows whose conditions compare about VALUES_A_STEP values, a multiple of a word's. */
  #rowsAStep(filter: Filter): number {
    const valuesARow = this.cost(filter) / Math.max(1, this.#bound)
    return WORD * Math.max(1, Math.floor(VALUES_A_STEP / Math.max(1, valuesARow) / WORD))
  }

  /** The rows of a range that pass a filter, counted from its first one. */
  #evaluate(filter: Filter, range: RowRange): RowSet {
    switch (filter.kind) {
      case 'not':
        return this.#evaluate(filter.filter, range).complement()
      case 'and':
        return filter.filters.reduce(
          (passing, inner) => passing.intersect(this.#evaluate(inner, range)),
          emptySet(range).complement()
        )
      case 'or':
        return filter.filters.reduce(
          (passing, inner) => passing.unite(this.#evaluate(inner, range)),
          emptySet(range)
        )
      case 'exists':
        return this.#present(filter.field, range)
      case 'range':
        return this.#scan(filter.field, range, inRange(filter.operator, filter.value))
      case 'in':
        return this.#in(filter.field, range, new Set(filter.values))
    }
  }

  /** Null matches a missing field too, as in MongoDB. */
  #in(field: string, range: RowRange, values: Set<Scalar>): RowSet {
    const passing = this.#scan(field, range, isAmong(values))
    return values.has(null) ? passing.unite(this.#present(field, range).complement()) : passing
  }

  #present(field: string, range: RowRange): RowSet {
    return this.#select(field, range, () => true)
  }

  #scan(field: string, range: RowRange, passes: (value: Value) => boolean): RowSet {
    return this.#select(field, range, (cell) => (Array.isArray(cell) ? cell.some(passes) : passes(cell)))
  }

  #select(field: string, range: RowRange, passes: (cell: Cell) => boolean): RowSet {
    const passing = emptySet(range)
    const cells = this.#columns.get(field)?.cells ?? []
    const end = Math.min(range.to, cells.length)
    for (let row = range.from; row < end; row++) {
      const cell = cells[row]
      if (cell !== undefined && passes(cell)) passing.add(row - range.from)
    }
    return passing
  }
}

function emptySet({ from, to }: RowRange): RowSet {
  return new RowSet(to - from)
}

/** Values that comparing a cell takes, at least one. */
function valuesIn(cell: Cell): number {
  return Array.isArray(cell) ? Math.max(1, cell.length) : 1
}

/**
 * The fields of an object by path; lists give their scalars, and the objects in them their fields. A path
 * that is there twice (`{"a.b": 1, "a": {"b": 2}}`) holds both values. An object is there, and has no value
 * of its own.
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
