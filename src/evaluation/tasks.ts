import type { TaskName } from './report.js'
import { biasTask } from './tasks/bias.js'
import { blindTask } from './tasks/blind.js'
import { compositionalityTask } from './tasks/compositionality.js'
import { fewShotTask } from './tasks/few-shot.js'
import { fusionTask } from './tasks/fusion.js'
import { retrievalTask } from './tasks/retrieval.js'
import { robustnessTask } from './tasks/robustness.js'
import type { Task } from './tasks/task.js'
import { wordOrderTask } from './tasks/word-order.js'
import { zeroShotTask } from './tasks/zero-shot.js'

/** A task of which no one but itself knows what it prepares. */
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

interface Described {
  name: string
  kind: string
}

/**
 * The tasks of each dataset: those asked for that its kind allows, or all that it allows. Throws an Error
 * that says what is possible where a task can be done on none of the datasets, or a dataset has none of the
 * tasks.
 */
export function chooseTasks(datasets: Described[], asked?: TaskName[]): AnyTask[][] {
  const all = Object.values(TASKS_BY_NAME)
  const allows = ({ kind }: Described, task: AnyTask) => (task.kinds as string[]).includes(kind)
  for (const name of asked ?? []) {
    const task = TASKS_BY_NAME[name]
    if (task && datasets.some((dataset) => allows(dataset, task))) continue
    throw new TaskImpossible(
      `The task ${name} needs ${listed(task?.kinds ?? [])}; ` +
        `${datasets.map((dataset) => `'${dataset.name}' is ${described(dataset)}`).join(', ')}.`
    )
  }
  return datasets.map((dataset) => {
    const possible = all.filter((task) => allows(dataset, task))
    const chosen = possible.filter(({ name }) => asked?.includes(name) ?? true)
    if (chosen.length > 0) return chosen
    throw new TaskImpossible(
      `'${dataset.name}' is ${described(dataset)}, for which none of the requested tasks is possible; ` +
        `possible tasks: ${possible.map(({ name }) => name).join(', ') || 'none'}.`
    )
  })
}

/** A task was asked of a dataset that it can't be done on. */
export class TaskImpossible extends Error {}

/** The kinds of datasets as a sentence names them. */
const KINDS: Record<string, string> = {
  captions: 'images with captions',
  classes: 'images with classes',
  pairs: 'pairs of images with swapped captions',
  choices: 'images with a true caption and false ones',
  embeddings: 'embeddings of image-text pairs'
}

function described({ kind }: Described): string {
  return KINDS[kind] ?? kind
}

function listed(kinds: string[]): string {
  return kinds.map((kind) => KINDS[kind] ?? kind).join(', or ')
}
