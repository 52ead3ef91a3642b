import type { DatasetReport, Report, TaskReport } from '../../report.js'
import { countsText, levelText } from '../captions.js'
import { spokenName, TASK_WORDS } from '../figure-names.js'
import { intervalText, valueText } from '../figure-text.js'
import { mainFigures } from '../main-figures.js'
import { markdown, markdownTable } from '../markdown.js'

/**
 * A dataset's figures, task by task, in one table; variants in brackets are left to the report where there
 * are many figures.
 */
export function cardFigures(
  dataset: DatasetReport,
  tasks: TaskReport[],
  { confidence }: Report['settings']
): string {
  const rows = tasks.flatMap(({ task, figures }) =>
    mainFigures(Object.keys(figures)).map((name, i) => {
      const figure = figures[name]
      return [
        i === 0 ? TASK_WORDS[task].title : '',
        markdown(spokenName(name)),
        valueText(name, figure.value),
        intervalText(name, figure),
        figure.chance === undefined ? '' : valueText(name, figure.chance),
        String(figure.items)
      ]
    })
  )
  const table = markdownTable(
    [['', 'figure', 'value', `${Math.round(confidence * 100)} % interval`, 'chance', 'n'], ...rows],
    [2, 3, 4, 5]
  )
  const flags = tasks.flatMap((task) =>
    task.flags.map(
      ({ level, message }) =>
        `- **${levelText(level)}** (${TASK_WORDS[task.task].title.toLowerCase()}): ${markdown(message)}`
    )
  )
  return [
    `### ${markdown(dataset.name)}`,
    markdown(countsText(dataset)),
    ...(flags.length > 0 ? [flags.join('\n')] : []),
    ...(rows.length > 0 ? [table] : [])
  ].join('\n\n')
}
