import { styleText } from 'node:util'
import { printable } from '../../terminal/printable.js'
import { fitTable } from '../../terminal/table.js'
import type { Report } from '../report.js'
import { countsText, levelText, listed, reportTitle } from './captions.js'
import { TASK_WORDS } from './figure-names.js'
import { tableColumns, type Column } from './table-columns.js'
import { figureNames, flagsOf, tasksOf, type RaisedFlag } from './tasks-of.js'

export interface TableOptions {
  /** Of the terminal, in characters; none is left out or cut without one. */
  width?: number
  /** Whether headings and warnings are marked by escape sequences. */
  colour?: boolean
}

const GAP = 2

/**
 * A report for a terminal: for each dataset and task a table of figures with their intervals, several models
 * side by side. Text of datasets is made printable.
 */
export function renderTable(report: Report, { width = Infinity, colour = false }: TableOptions = {}): string {
  const paint = (style: Parameters<typeof styleText>[0], text: string) =>
    colour ? styleText(style, text, { validateStream: false }) : text
  const left: Set<string> = new Set()
  const lines = [
    paint('bold', printable(reportTitle(report))),
    printable(`Semblance ${report.service}, ${report.createdAt}`)
  ]
  for (const dataset of report.datasets) {
    lines.push('', paint('bold', printable(dataset.name)), printable(countsText(dataset)))
    for (const task of tasksOf(dataset)) {
      lines.push('', `  ${paint('underline', TASK_WORDS[task].title)}`)
      for (const flag of flagsOf(dataset, task))
        lines.push(`  ${paint(flag.level === 'warning' ? 'yellow' : 'dim', flagLine(flag))}`)
      const columns = tableColumns(report, dataset, task)
      lines.push(...figureLines(fitting(columns, { width: width - GAP, left }), width - GAP))
      const more = figureNames(dataset, task).length - columns[0].cells.length
      if (more > 0) lines.push(`  and ${more} more, which the JSON and the page have`)
    }
  }
  if (left.size > 0)
    lines.push(
      '',
      `There was no room for: ${[...left].map(printable).join(', ')}. A wider terminal, the JSON and ` +
        'the page have them.'
    )
  return `${lines.join('\n')}\n`
}

function flagLine({ level, message, models }: RaisedFlag): string {
  return printable(
    `${level === 'warning' ? '!' : 'i'} ` +
      `${levelText(level)}${models.length > 0 ? ` (${listed(models)})` : ''}: ${message}`
  )
}

/**
 * Leaves out the columns that can best be done without until the rest fits; their names are added to `left`.
 */
function fitting(columns: Column[], { width, left }: { width: number; left: Set<string> }): Column[] {
  let kept = columns
  while (widthOf(kept) > width) {
    const least = Math.min(...kept.map(({ spare = Infinity }) => spare))
    if (least === Infinity) break
    for (const { title } of kept.filter(({ spare }) => spare === least)) left.add(title)
    kept = kept.filter(({ spare }) => spare !== least)
  }
  return kept
}

function figureLines(columns: Column[], width: number): string[] {
  if (columns[0].cells.length === 0) return ['  No figures.']
  const rows = ['', ...columns[0].cells].map((_, row) =>
    columns.map(({ title, cells }) => (row === 0 ? title : cells[row - 1]))
  )
  const numbers = new Set(columns.keys())
  numbers.delete(0)
  return fitTable(rows, width, numbers)
    .trimEnd()
    .split('\n')
    .map((line) => `  ${line}`)
}

function widthOf(columns: Column[]): number {
  return columns.reduce(
    (sum, { title, cells }) =>
      sum + Math.max(...[title, ...cells].map((cell) => printable(cell).length)) + GAP,
    -GAP
  )
}
