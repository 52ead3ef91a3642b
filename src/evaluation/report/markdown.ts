import { printable } from '../../terminal/printable.js'
import { escape } from './markup.js'

/**
 * Text of a dataset as Markdown that shows it as it is, on one line, in a table too: nothing of it is markup,
 * a link or a mention.
 */
export function markdown(text: string): string {
  return printable(text.toWellFormed())
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/(?<!\w)@/g, '&#64;')
    .replaceAll('://', '&#58;//')
    .replaceAll(/(?<=www)\./gi, '&#46;')
    .replaceAll(/[\\`*_{}[\]>|~$!^]/g, (sign) => `\\${sign}`)
    .replace(/^([-+=#])/, '\\$1')
    .replace(/^(\d+)([.)])/, '$1\\$2')
}

/** Text of a dataset as a quoted attribute of an HTML tag within Markdown, on one line and in a table too. */
export function attribute(text: string): string {
  return escape(printable(text)).replaceAll('|', '&#124;').replaceAll('`', '&#96;')
}

/** A table in Markdown; cells are Markdown. Columns of `numbers` are aligned at their ends. */
export function markdownTable([head, ...rows]: string[][], numbers: number[] = []): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`
  return [
    line(head),
    line(head.map((_, column) => (numbers.includes(column) ? '--:' : '---'))),
    ...rows.map(line)
  ].join('\n')
}
