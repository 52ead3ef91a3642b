import { mainFigures } from './main-figures.js'
import { figureNames } from './tasks-of.js'
import type { Comparison, DatasetReport, Figure, Report, TaskName } from '../report.js'
import { shortName } from './captions.js'
import { differenceText, intervalText, pText, valueText } from './figure-text.js'

/** A column of figures: a title and a cell a figure. */
export interface Column {
  title: string
  cells: string[]
  /** Columns with it are left out where there is no room, the lowest first. */
  spare?: number
}

/**
 * The figures of a task on a dataset in rows; of each model its value and interval, then how the first two
 * differ, chance, and what it is over.
 */
export function tableColumns(report: Report, dataset: DatasetReport, task: TaskName): Column[] {
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
