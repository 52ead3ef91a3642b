import { EvaluationInvalid } from '../../errors.js'
import { handler, reportReady } from '../../threading/thread-pool.js'
import { compareModels } from '../statistics/compare-models.js'
import { DatasetError } from '../datasets/dataset.js'
import type { TaskName } from '../report.js'
import { figure } from '../statistics/statistics.js'
import type { TaskOptions } from '../tasks/task.js'
import { TASKS_BY_NAME } from '../tasks.js'

/** What a task has prepared, by its name. */
export interface Measurement {
  task: TaskName
  input: unknown
  options: TaskOptions
}

// The thread that computes: the figures of a task with their intervals, and the paired tests.

export const measure = handler(({ task, input, options }: Measurement) =>
  tellingFaults(() => TASKS_BY_NAME[task]!.measure(input, options))
)
export const compare = handler(compareModels)
/** The mean of each list of values, with its interval. */
export const figures = handler(
  ({ values, options }: { values: Record<string, Float64Array>; options: TaskOptions }) =>
    Object.fromEntries(Object.entries(values).map(([name, each]) => [name, figure(each, options)]))
)

/** What is wrong with a dataset crosses threads under a code of its own; all else is a fault here. */
async function tellingFaults<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof DatasetError ? new EvaluationInvalid(error.message) : error
  }
}

reportReady()
