import type { TaskName } from './report.js'
import type { Task } from './tasks/task.js'
import { biasTask } from './tasks/bias.js'
import { blindTask } from './tasks/blind.js'
import { compositionalityTask } from './tasks/compositionality.js'
import { fewShotTask } from './tasks/few-shot.js'
import { fusionTask } from './tasks/fusion.js'
import { retrievalTask } from './tasks/retrieval.js'
import { robustnessTask } from './tasks/robustness.js'
import { wordOrderTask } from './tasks/word-order.js'
import { zeroShotTask } from './tasks/zero-shot.js'

/** A task of which nobody but itself knows what it prepares. */
export type AnyTask = Task<unknown>

const ALL = [
  retrievalTask,
  zeroShotTask,
  fewShotTask,
  compositionalityTask,
  wordOrderTask,
  blindTask,
  robustnessTask,
  biasTask,
  fusionTask
] as AnyTask[]

/** The tasks, in the order in which a report has them. */
export const TASKS_BY_NAME = Object.fromEntries(ALL.map((task) => [task.name, task])) as Partial<
  Record<TaskName, AnyTask>
>
