import type { ColumnType } from './columns.js'
import { tableRows } from './table-rows.js'

/**
 * A number as JSON writes it, without an exponent: `12`, `-0.5`; not `007`, `+49`, `1,000` or `1e5`, which
 * are codes as often.
 */
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?$/
/** Digits that a double keeps in every case are 15; shortest forms of doubles have up to 17. */
const MOST_DIGITS = 17
const BOOLEAN = /^(true|false)$/i

/** What a cell may be read as without a loss. */
function typesOf(cell: string): Set<ColumnType> {
  const types = new Set<ColumnType>(['string'])
  if (BOOLEAN.test(cell)) types.add('boolean')
  if (NUMBER.test(cell) && keepsDigits(cell)) types.add('number')
  return types
}

function keepsDigits(cell: string): boolean {
  const isWhole = !cell.includes('.')
  return isWhole
    ? Number.isSafeInteger(Number(cell))
    : cell.replace(/\D/g, '').replace(/^0+/, '').length <= MOST_DIGITS
}

/**
 * The types of the columns of a table, of which all cells are read: a column has numbers, or true and false,
 * where each of its cells that is not empty is one. One `00123` makes it a column of strings, as postal codes
 * are.
 */
export async function columnTypes(path: string): Promise<Map<string, ColumnType>> {
  const possible = new Map<string, Set<ColumnType>>()
  for await (const row of tableRows(path)) {
    if ('reason' in row) continue
    for (const [name, cell] of Object.entries(row.fields)) {
      const before = possible.get(name)
      // A column of strings stays one: most of the cells of a table need not be looked at.
      if (before?.size === 1) continue
      const types = typesOf(String(cell).trim())
      possible.set(name, new Set([...types].filter((type) => before?.has(type) ?? true)))
    }
  }
  return new Map([...possible].map(([name, types]) => [name, [...types].at(-1)!]))
}

/**
 * Metadata with its cells as their columns have them. Throws an Error that names the first column whose cell
 * is of another type.
 */
export function typed(
  metadata: Record<string, unknown>,
  types: ReadonlyMap<string, ColumnType>
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(metadata).map(([name, cell]) => [name, typedCell(name, cell, types.get(name) ?? 'string')])
  )
}

function typedCell(name: string, value: unknown, type: ColumnType): unknown {
  if (type === 'string' || typeof value !== 'string') return value
  const cell = value.trim()
  if (!typesOf(cell).has(type))
    throw new Error(
      `The column '${name}' has the value '${cell}', which is not a ${type}; --types '${name}=string' ` +
        'keeps the column as text.'
    )
  return type === 'number' ? Number(cell) : cell.toLowerCase() === 'true'
}
