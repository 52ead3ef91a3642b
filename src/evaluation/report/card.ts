import { createHash } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { unlessMissing } from '../../fs/unless-missing.js'
import { printable } from '../../terminal/printable.js'
import type { DatasetReport, Plot, Report, Shown, TaskReport, WorstQuery } from '../report.js'
import {
  countsText,
  intervalText,
  levelText,
  listed,
  mainFigures,
  modelNames,
  spokenName,
  TASK_WORDS,
  valueText
} from './figure-names.js'
import { escape, html } from './markup.js'
import { curveColours, PLOT_STYLE, plotMarkup } from './plot.js'
import { type Verdict, VERDICT_WORDS, verdictsOf } from './verdicts.js'

/**
 * Text of a dataset as Markdown that shows it as it is, on one line, in a table too: nothing of it is markup,
 * a link or a mention.
 */
export function markdown(text: string): string {
  return printable(text.toWellFormed())
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/(?<!\w)@/g, '&#64;')
    .replaceAll('://', '&#58;//')
    .replaceAll(/(?<=www)\./gi, '&#46;')
    .replaceAll(/[\\`*_{}[\]>|~$!^]/g, (sign) => `\\${sign}`)
    .replace(/^([-+=#])/, '\\$1')
    .replace(/^(\d+)([.)])/, '$1\\$2')
}

/** Text of a dataset as a quoted attribute of an HTML tag within Markdown, on one line and in a table too. */
export function attribute(text: string): string {
  return escape(printable(text)).replaceAll('|', '&#124;').replaceAll('`', '&#96;')
}

/** A table in Markdown; cells are Markdown. Columns of `numbers` are aligned at their ends. */
export function markdownTable([head, ...rows]: string[][], numbers: number[] = []): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`
  return [
    line(head),
    line(head.map((_, column) => (numbers.includes(column) ? '--:' : '---'))),
    ...rows.map(line)
  ].join('\n')
}

export interface CardOptions {
  /** Of a card that isn't there yet; the model's name by default. */
  title?: string
  /** Datasets whose pictures may be passed on with the card; all by default. */
  pictures?: string[]
}

const FROM = '<!-- evaluation -->'
const TO = '<!-- /evaluation -->'
/** The folder of a card's pictures, beside its text. */
const PICTURES = 'card'
/** What a card says where it shows one of its pictures. */
const SHOWN = new RegExp(`src="${PICTURES}/([a-z0-9-]+\\.(?:svg|webp))"`, 'g')

/**
 * Writes what a report says of its first model into a card: README.md in the folder, between `<!-- evaluation
 * -->` and `<!-- /evaluation -->`, with pictures in card/. A card that is there keeps the rest of its text,
 * and one without the two marks gets them at its end; pictures that the part before showed and the card no
 * longer does are removed, others in card/ stay. The same report gives the same files.
 */
export async function writeCard(
  report: Report,
  folder: string,
  { title, pictures }: CardOptions = {}
): Promise<void> {
  const files: CardFiles = new Map()
  const part = `${FROM}\n${cardText(report, { files, pictures })}\n${TO}`
  const path = join(folder, 'README.md')
  const before =
    (await readFile(path, 'utf8').catch(unlessMissing)) ??
    `# ${markdown(title ?? modelNames(report).at(0) ?? 'model')}\n`
  await mkdir(join(folder, PICTURES), { recursive: true })
  for (const [name, content] of files) await writeFile(join(folder, PICTURES, name), content)
  const after = placed(before, part)
  await writeFile(path, after)
  const kept = shownIn(after)
  for (const name of shownIn(partOf(before) ?? ''))
    if (!kept.has(name)) await rm(join(folder, PICTURES, name), { force: true })
}

/**
 * What a report says of its first model, in Markdown; `files` gets the pictures that it shows, those of
 * datasets that are named in `pictures`.
 */
function cardText(report: Report, { files, pictures }: { files: CardFiles; pictures?: string[] }): string {
  const model = modelNames(report).at(0)
  if (model === undefined) return 'Nothing was measured.'
  const fingerprint = report.models.find(({ name }) => name === model)?.fingerprint
  const results = report.datasets.flatMap((dataset) =>
    dataset.results.filter((result) => result.model === model).map(({ tasks }) => ({ dataset, tasks }))
  )
  const verdicts = verdictsOf(report, model)
  const said = (Object.keys(VERDICT_WORDS) as Verdict['kind'][]).filter((kind) =>
    verdicts.some((verdict) => verdict.kind === kind)
  )
  return [
    '## What it can and can’t do',
    `Measured by ${markdown(`Semblance ${report.service}`)} on ` +
      `${listed(results.map(({ dataset }) => markdown(dataset.name)))}; in brackets the ` +
      `${Math.round(report.settings.confidence * 100)} % bootstrap interval ` +
      `(${report.settings.resamples} resamples, seed ${report.settings.seed}). What is said here follows ` +
      'from the figures by rule, and holds for data like that.',
    ...said.map(
      (kind) =>
        `**${VERDICT_WORDS[kind]}**\n\n${verdicts
          .filter((verdict) => verdict.kind === kind)
          .map(({ text, dataset }) => `- ${markdown(text)} (${markdown(dataset)})`)
          .join('\n')}`
    ),
    ...results.flatMap(({ dataset, tasks }) => {
      const plots = cardPlots(dataset, tasks, files)
      return [
        cardFigures(dataset, tasks, report.settings),
        ...(plots.length > 0 ? [plots.join('\n')] : []),
        ...cardQueries({
          dataset,
          tasks,
          files,
          pictures: pictures?.includes(dataset.name) === false ? {} : report.pictures
        })
      ]
    }),
    ...(fingerprint === undefined ? [] : [`Model fingerprint \`${fingerprint.replaceAll('`', '')}\`.`])
  ].join('\n\n')
}

/** Names of the pictures that a text shows. */
function shownIn(text: string): Set<string> {
  return new Set([...text.matchAll(SHOWN)].map(([, name]) => name))
}

/** What stands from one mark to the other, with both, if they are there. */
function partOf(text: string): string | undefined {
  const from = text.indexOf(FROM)
  const to = text.indexOf(TO, from)
  return from === -1 || to === -1 ? undefined : text.slice(from, to + TO.length)
}

/** Text with the part in the place of the one between the two marks, or at its end. */
function placed(text: string, part: string): string {
  const old = partOf(text)
  return old === undefined ? `${text.trimEnd()}\n\n${part}\n` : text.replace(old, () => part)
}

/**
 * A dataset's figures, task by task, in one table; variants in brackets are left to the report where there
 * are many figures.
 */
function cardFigures(
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

/** Files of a card by name, which its text refers to. */
type CardFiles = Map<string, string | Buffer>

/** Queries of a list, and answers of each. */
const QUERIES = 4
const RETURNED = 3
const WIDTH = 96

/** A dataset's plots, as pictures that are added to `files`. */
function cardPlots(dataset: DatasetReport, tasks: TaskReport[], files: CardFiles): string[] {
  const plots = tasks.flatMap(({ task, plots = [] }) => plots.map((plot) => ({ task, plot })))
  return plots.map(({ task, plot }) => {
    const name = unique(`${slug(`${dataset.name} ${task} ${plot.title}`)}.svg`, files)
    files.set(name, plotFile(plot))
    return `<img src="${PICTURES}/${name}" width="420" alt="${attribute(`${plot.title}: ${axes(plot)}`)}">`
  })
}

/** The queries that went worst on a dataset, with their pictures, which are added to `files`. */
function cardQueries({
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

const LIGHT = '--ground:#fff;--text:#1b1b22;--muted:#5a5a68;--line:#dcdce4;--line-strong:#8a8a99'
const DARK = '--ground:#1a1c23;--text:#ececf1;--muted:#a6a8b5;--line:#32353f;--line-strong:#7d8194'
const STYLE = `.plot { ${LIGHT};${curveColours('light')} }
@media (prefers-color-scheme: dark) { .plot { ${DARK};${curveColours('dark')} } }
.ground { fill: var(--ground); }${PLOT_STYLE}`

/** A plot as an SVG file that stands alone, on a ground of its own, in the theme of who looks. */
function plotFile(plot: Plot): string {
  const before = html`<style>
      ${{ markup: STYLE }}</style
    ><rect class="ground" width="100%" height="100%" rx="8" />`
  return `${plotMarkup(plot, { id: 'plot', before }).markup}\n`
}
