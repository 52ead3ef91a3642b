import type { Scalar } from './filter.js'
import { compareInstants, Instant, instantKey } from './instant.js'
import type { Cell, MetadataColumns, Value } from './metadata-columns.js'
import type { RowSet } from './row-set.js'
import { TopK } from './top-k.js'

/** A value with the records that hold it. */
export interface FacetValue {
  value: NonNullable<Scalar>
  records: number
}

/** What the records of a collection hold in one field of their metadata; nulls are not counted. */
export interface Facet {
  field: string
  type: 'string' | 'number' | 'boolean' | 'mixed'
  /** Records that hold a value. */
  records: number
  /** Those that most records hold, most first. */
  values: FacetValue[]
  /** Values that there are, listed or not. */
  distinct: number
  /** Of numbers, and of ISO 8601 dates. */
  min?: number | string
  max?: number | string
}

export interface Facets {
  /** Those that most records hold, most first. */
  fields: Facet[]
  /** Fields that were not looked at, being over the bound. */
  leftOut: number
}

/** Fields that are looked at, those that most records hold. */
const MAX_FIELDS = 200
/** Longest string that is listed as a value: what is longer is prose, and would make answers of megabytes. */
const LONGEST_VALUE = 256
/** Cells with their elements, or values, between two places where the work may be interrupted. */
const STRIDE = 1024
const DATE = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?$/i

/**
 * Counts the values of all fields over some rows (all by default); what changes meanwhile may be counted or
 * not.
 */
export function* countFacets(
  columns: MetadataColumns,
  { rows, limit }: { rows?: RowSet; limit: number }
): Generator<void, Facets> {
  const most = new TopK(MAX_FIELDS)
  const names = [...columns.columns.keys()]
  for (let i = 0; i < names.length; i++) {
    most.push(i, columns.columns.get(names[i])?.count ?? 0)
    if (i % STRIDE === STRIDE - 1) yield
  }
  const fields: Facet[] = []
  for (const { label } of most.sorted()) {
    const facet = yield* countField(columns, { field: names[label], rows, limit })
    if (facet) fields.push(facet)
  }
  fields.sort((a, b) => b.records - a.records || compare(a.field, b.field))
  return { fields, leftOut: Math.max(0, names.length - MAX_FIELDS) }
}

/**
 * The values of one field, undefined where there is none: the fields of an object have values, itself has
 * not.
 */
function* countField(
  columns: MetadataColumns,
  { field, rows, limit }: { field: string; rows?: RowSet; limit: number }
): Generator<void, Facet | undefined> {
  const tally = new Tally()
  const cells = columns.columns.get(field)?.cells ?? []
  for (let [row, looked] = [0, 0]; row < cells.length; row++) {
    const cell = cells[row]
    if (cell !== undefined && (!rows || rows.has(row))) tally.add(cell)
    // A list may have thousands of elements.
    looked += Array.isArray(cell) ? cell.length + 1 : 1
    if (looked < STRIDE) continue
    looked = 0
    yield
  }
  if (tally.records === 0) return undefined
  const values = yield* tally.top(limit)
  return { field, type: tally.type, records: tally.records, values, distinct: tally.distinct, ...tally.range }
}

/** The values of a field with their counts; of the same moments the first spelling that is met. */
class Tally {
  readonly #counts = new Map<NonNullable<Scalar>, number>()
  readonly #types = new Set<string>()
  readonly #spellings = new Map<string, string>()
  #areDates = true
  #min: number | string | undefined
  #max: number | string | undefined
  /** Of the instants, while all values are. */
  #areInstants = true
  #first: Instant | undefined
  #last: Instant | undefined
  records = 0

  get distinct(): number {
    return this.#counts.size
  }

  get type(): Facet['type'] {
    return this.#types.size === 1 ? ([...this.#types][0] as Facet['type']) : 'mixed'
  }

  /** Instants in their order, other strings by code units, as filters compare them. */
  get range(): Pick<Facet, 'min' | 'max'> {
    if (this.#areInstants && this.#first && this.#last) return { min: this.#first.text, max: this.#last.text }
    return this.type === 'number' || (this.type === 'string' && this.#areDates)
      ? { min: this.#min, max: this.#max }
      : {}
  }

  /** Counts a record's cell; of a list each element once. */
  add(cell: Cell): void {
    const values = Array.isArray(cell)
      ? new Set(cell.map((value) => this.#spelled(value)))
      : [this.#spelled(cell)]
    let isThere = false
    for (const value of values) {
      if (value === null) continue
      isThere = true
      const count = this.#counts.get(value)
      if (count === undefined) this.#meet(value)
      this.#counts.set(value, (count ?? 0) + 1)
    }
    if (isThere) this.records++
  }

  /** The string or other value that a value is counted as. */
  #spelled(value: Value): Scalar {
    if (!(value instanceof Instant)) {
      if (value !== null) this.#areInstants = false
      return value
    }
    const key = instantKey(value)
    const known = this.#spellings.get(key)
    if (known !== undefined) return known
    this.#spellings.set(key, value.text)
    if (!this.#first || compareInstants(value, this.#first) < 0) this.#first = value
    if (!this.#last || compareInstants(value, this.#last) > 0) this.#last = value
    return value.text
  }

  #meet(value: NonNullable<Scalar>): void {
    this.#types.add(typeof value)
    if (typeof value === 'boolean') return
    if (typeof value === 'string' && this.#areDates) this.#areDates = DATE.test(value)
    // Where the types differ there is no range.
    if (this.#min === undefined || value < this.#min) this.#min = value
    if (this.#max === undefined || value > this.#max) this.#max = value
  }

  /** The values that most records hold; of equal ones those that were met first, in their own order. */
  *top(limit: number): Generator<void, FacetValue[]> {
    const most = new TopK(limit)
    const values: NonNullable<Scalar>[] = []
    for (const [value, records] of this.#counts) {
      if (typeof value === 'string' && value.length > LONGEST_VALUE) continue
      most.push(values.push(value) - 1, records)
      if (values.length % STRIDE === 0) yield
    }
    return most
      .sorted()
      .map(({ label, score }) => ({ value: values[label], records: score }))
      .sort((a, b) => b.records - a.records || compare(a.value, b.value))
  }
}

function compare(a: NonNullable<Scalar>, b: NonNullable<Scalar>): number {
  return a < b ? -1 : a > b ? 1 : 0
}
