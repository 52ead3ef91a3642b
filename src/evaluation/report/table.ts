import { styleText } from 'node:util'
import { printable } from '../../terminal/printable.js'
import { fitTable } from '../../terminal/table.js'
import type { Comparison, DatasetReport, Figure, Report, TaskName } from '../report.js'
import {
  countsText,
  differenceText,
  intervalText,
  levelText,
  listed,
  mainFigures,
  pText,
  reportTitle,
  shortName,
  TASK_WORDS,
  valueText
} from './figure-names.js'
import { figureNames, flagsOf, type RaisedFlag, tasksOf } from './tasks-of.js'

/** A column of figures: a title and a cell a figure. */
interface Column {
  title: string
  cells: string[]
  /** Columns with it are left out where there is no room, the lowest first. */
  spare?: number
}

/**
 * The figures of a task on a dataset in rows; of each model its value and interval, then how the first two
 * differ, chance, and what it is over.
 */
function tableColumns(report: Report, dataset: DatasetReport, task: TaskName): Column[] {
  const models = dataset.results.map(({ model, tasks }) => ({
    model: shortName(model, report),
    figures: tasks.find((done) => done.task === task)?.figures ?? {}
  }))
  const names = mainFigures(figureNames(dataset, task))
  const firsts = names.map(
    (name) => models.map(({ figures }) => figures[name]).find((figure) => figure !== undefined) as Figure
  )
  const level = `${Math.round(report.settings.confidence * 100)} %`
  const several = models.length > 1
  const compared = names.map((name) =>
    dataset.comparisons.find((comparison) => comparison.task === task && comparison.figure === name)
  )
  return [
    { title: 'figure', cells: names },
    ...models.flatMap(({ model, figures }): Column[] => [
      {
        title: several ? model : 'value',
        cells: names.map((name) => cell(figures[name], ({ value }) => valueText(name, value)))
      },
      {
        title: several ? `${model} ${level}` : level,
        cells: names.map((name) => cell(figures[name], (figure) => intervalText(name, figure))),
        ...(several && { spare: 3 })
      }
    ]),
    ...(compared.some(Boolean) ? differenceColumns(names, compared, level) : []),
    ...(firsts.some(({ chance }) => chance !== undefined)
      ? [
          {
            title: 'chance',
            spare: 2,
            cells: firsts.map(({ chance }, i) => (chance === undefined ? '' : valueText(names[i], chance)))
          }
        ]
      : []),
    { title: 'n', spare: 1, cells: firsts.map(({ items }) => String(items)) }
  ]
}

function differenceColumns(names: string[], compared: (Comparison | undefined)[], level: string): Column[] {
  return [
    {
      title: 'difference',
      cells: names.map((name, i) =>
        cell(compared[i], ({ difference }) => differenceText(name, difference.value))
      )
    },
    {
      title: `difference ${level}`,
      cells: names.map((name, i) => cell(compared[i], ({ difference }) => intervalText(name, difference))),
      spare: 4
    },
    { title: 'p', cells: compared.map((comparison) => cell(comparison, ({ p }) => pText(p))) }
  ]
}

function cell<T>(subject: T | undefined, text: (subject: T) => string): string {
  return subject === undefined ? '' : text(subject)
}

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
