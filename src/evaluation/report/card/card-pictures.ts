import { createHash } from 'node:crypto'
import type { DatasetReport, Plot, Report, Shown, TaskReport, WorstQuery } from '../../report.js'
import { attribute, markdown, markdownTable } from '../markdown.js'
import { plotFile } from '../plot/plot-file.js'

/** Files of a card by name, which its text refers to. */
export type CardFiles = Map<string, string | Buffer>

/** The folder of a card's pictures, beside its text. */
export const PICTURES = 'card'

/** Queries of a list, and answers of each. */
const QUERIES = 4
const RETURNED = 3
const WIDTH = 96

/** A dataset's plots, as pictures that are added to `files`. */
export function cardPlots(dataset: DatasetReport, tasks: TaskReport[], files: CardFiles): string[] {
  const plots = tasks.flatMap(({ task, plots = [] }) => plots.map((plot) => ({ task, plot })))
  return plots.map(({ task, plot }) => {
    const name = unique(`${slug(`${dataset.name} ${task} ${plot.title}`)}.svg`, files)
    files.set(name, plotFile(plot))
    return `<img src="${PICTURES}/${name}" width="420" alt="${attribute(`${plot.title}: ${axes(plot)}`)}">`
  })
}

/** The queries that went worst on a dataset, with their pictures, which are added to `files`. */
export function cardQueries({
  dataset,
  tasks,
  files,
  pictures
}: {
  dataset: DatasetReport
  tasks: TaskReport[]
  files: CardFiles
  pictures: Report['pictures']
}): string[] {
  const cell = (shown: Shown) => shownCell(shown, { dataset: dataset.name, pictures, files })
  return tasks
    .flatMap(({ worst = [] }) => worst)
    .filter(({ queries }) => queries.length > 0)
    .map(({ title, queries }) => {
      const rows = queries.slice(0, QUERIES).map((query) => queryRow(query, cell))
      const table = markdownTable([['query', 'right', 'its rank', 'came instead'], ...rows], [2])
      return `**${markdown(title)}**\n\n${table}`
    })
}

function queryRow({ query, expected, returned, rank }: WorstQuery, cell: (shown: Shown) => string): string[] {
  return [
    cell(query),
    expected.slice(0, 1).map(cell).join(''),
    String(rank),
    returned
      .slice(0, RETURNED)
      .map(({ shown }) => cell(shown))
      .join('text' in (returned[0]?.shown ?? {}) ? '<br>' : ' ')
  ]
}

function shownCell(
  shown: Shown,
  { dataset, pictures, files }: { dataset: string; pictures: Report['pictures']; files: CardFiles }
): string {
  if ('text' in shown) return `“${markdown(shown.text)}”`
  const key = `${dataset} ${shown.image}`
  if (!Object.hasOwn(pictures, key)) return markdown(shown.image)
  const bytes = Buffer.from(pictures[key], 'base64')
  const name = `${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}.webp`
  files.set(name, bytes)
  return `<img src="${PICTURES}/${name}" width="${WIDTH}" alt="${attribute(shown.image)}">`
}

function axes({ x, y }: Plot): string {
  return `${y} by ${x}`
}

/** A name for files and addresses, of letters of ASCII and digits. */
function slug(text: string): string {
  return (
    text
      .normalize('NFKD')
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-|-$/g, '')
      .slice(0, 80) || 'plot'
  )
}

function unique(name: string, files: CardFiles): string {
  for (let i = 1; ; i++) {
    const candidate = i === 1 ? name : name.replace(/(?=\.\w+$)/, `-${i}`)
    if (!files.has(candidate)) return candidate
  }
}
