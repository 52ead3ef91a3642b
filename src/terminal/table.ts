import { printable } from './printable.js'

/**
 * Rows as lines of columns that line up; the first has the names. What cells say is printable then. The
 * columns of `numbers` line up at their ends.
 */
export function table(cells: string[][], numbers: ReadonlySet<number> = new Set()): string {
  const rows = cells.map((row) => row.map(printable))
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  const padded = (cell: string, column: number) =>
    numbers.has(column) ? cell.padStart(widths[column]) : cell.padEnd(widths[column])
  return rows.map((row) => `${row.map(padded).join('  ').trimEnd()}\n`).join('')
}

/** As `table`, with lines cut to a width: the last column yields, and then is marked. */
export function fitTable(rows: string[][], width: number, numbers?: ReadonlySet<number>): string {
  return table(rows, numbers)
    .split('\n')
    .map((line) => (line.length > width ? `${line.slice(0, Math.max(0, width - 1))}…` : line))
    .join('\n')
}
