import type { DatasetReport, Figure, Report, TaskName } from '../report.js'
import { reportsOf, tasksOf } from './tasks-of.js'

/** A figure that a report is summed up by, of each model that has it. */
export interface Headline {
  dataset: string
  task: TaskName
  figure: string
  values: { model: string; value: Figure }[]
}

/** What sums a task up, in order; further figures are in its table. */
const HEADLINES: Record<TaskName, RegExp[]> = {
  retrieval: [
    /^text_to_image\.recall@1$/,
    /^text_to_image\.recall@10$/,
    /^image_to_text\.recall@1$/,
    /^image_to_text\.recall@10$/
  ],
  'zero-shot': [/^zero_shot\.top1$/, /^zero_shot\.ece$/],
  'few-shot': [/^few_shot\.linear_probe@\d+$/],
  compositionality: [
    /^winoground\.text$/,
    /^winoground\.image$/,
    /^winoground\.group$/,
    /^hard_negatives\.accuracy$/
  ],
  'word-order': [/^word_order\.(preference|accuracy)$/],
  blind: [],
  robustness: [],
  bias: [],
  fusion: []
}

/**
 * The figures that a report is summed up by, by dataset and task: of few-shot classification the one with
 * most examples, and none in which guessing is always right.
 */
export function headlinesOf(report: Report): Headline[] {
  return report.datasets.flatMap((dataset) => tasksOf(dataset).flatMap((task) => ofTask(dataset, task)))
}

function ofTask(dataset: DatasetReport, task: TaskName): Headline[] {
  const reports = reportsOf(dataset, task)
  const names = [...new Set(reports.flatMap(({ report }) => Object.keys(report.figures)))]
  const isTelling = (name: string) =>
    reports.some(({ report }) => report.figures[name] !== undefined && (report.figures[name].chance ?? 0) < 1)
  const chosen = HEADLINES[task].flatMap((pattern) =>
    names.filter((name) => pattern.test(name) && isTelling(name)).slice(task === 'few-shot' ? -1 : 0)
  )
  return chosen.map((figure) => ({
    dataset: dataset.name,
    task,
    figure,
    values: reports
      .filter(({ report }) => report.figures[figure] !== undefined)
      .map(({ model, report }) => ({ model, value: report.figures[figure] }))
  }))
}
