import { pairedMedianTest } from './paired-medians.js'
import type { Comparison, TaskResult } from '../report.js'
import { pairedTest } from './statistics.js'
import type { TaskOptions } from '../tasks/task.js'

/** What two models did on the same items of one task. */
export interface Compared {
  first: TaskResult
  second: TaskResult
  options: Pick<TaskOptions, 'seed' | 'resamples' | 'confidence'>
}

/** The figures that both models have a value an item of, each with its paired test. */
export function compareModels({ first, second, options }: Compared): Comparison[] {
  return Object.entries(first.perItem).flatMap(([figure, values]) => {
    const others = second.perItem[figure]
    if (others?.length !== values.length || values.length === 0) return []
    const { seed, resamples, confidence } = options
    const test = isMedian(figure) ? pairedMedianTest : pairedTest
    const { difference, p } = test(values, others, {
      seed,
      resamples,
      confidence,
      clusters: first.clusters?.[figure]
    })
    return {
      task: first.report.task,
      figure,
      first: valueOf(first, figure),
      second: valueOf(second, figure),
      difference,
      p
    }
  })
}

function valueOf({ report, perItem }: TaskResult, figure: string): number {
  return (
    report.figures[figure]?.value ??
    perItem[figure].reduce((sum, value) => sum + value, 0) / perItem[figure].length
  )
}

/** Whether a figure is the median of its items, where others are their mean. */
function isMedian(figure: string): boolean {
  return /\.median_\w+$/.test(figure)
}
