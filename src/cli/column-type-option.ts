import { InvalidArgumentError } from 'commander'
import { COLUMN_TYPES, type ColumnType } from '../files/columns.js'

/** A value of `--types`, such as `zip=string`, with those before it. */
export function parseType(
  text: string,
  before: ReadonlyMap<string, ColumnType> = new Map()
): ReadonlyMap<string, ColumnType> {
  const [, name, type] = /^(.+)=([a-z]+)$/.exec(text) ?? []
  if (!COLUMN_TYPES.includes(type as ColumnType))
    throw new InvalidArgumentError(
      `A column and its type are needed, as 'zip=string'; types are ${COLUMN_TYPES.join(', ')}.`
    )
  return new Map([...before, [name, type as ColumnType]])
}
