import type { DatasetReport, Flag, TaskName, TaskReport } from '../report.js'

/** A flag, and the models that it is of: none named where it is of all of them. */
export interface RaisedFlag extends Flag {
  models: string[]
}

/** The tasks that any model did on a dataset, in their order. */
export function tasksOf({ results }: DatasetReport): TaskName[] {
  return [...new Set(results.flatMap(({ tasks }) => tasks.map(({ task }) => task)))]
}

/** A task's reports of the models that did it. */
export function reportsOf(
  { results }: DatasetReport,
  task: TaskName
): { model: string; report: TaskReport }[] {
  return results.flatMap(({ model, tasks }) =>
    tasks.filter((done) => done.task === task).map((report) => ({ model, report }))
  )
}

/** The names of a task's figures, of any model. */
export function figureNames(dataset: DatasetReport, task: TaskName): string[] {
  return [...new Set(reportsOf(dataset, task).flatMap(({ report }) => Object.keys(report.figures)))]
}

/** The flags of a task, each once, warnings first. */
export function flagsOf(dataset: DatasetReport, task: TaskName): RaisedFlag[] {
  const reports = reportsOf(dataset, task)
  const raised = new Map<string, RaisedFlag>()
  for (const { model, report } of reports) {
    for (const flag of report.flags) {
      const key = `${flag.level} ${flag.code} ${flag.message}`
      raised.set(key, { ...flag, models: [...(raised.get(key)?.models ?? []), model] })
    }
  }
  const flags = [...raised.values()].map((flag) =>
    flag.models.length === reports.length ? { ...flag, models: [] } : flag
  )
  return [
    ...flags.filter(({ level }) => level === 'warning'),
    ...flags.filter(({ level }) => level !== 'warning')
  ]
}
