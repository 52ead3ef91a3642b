import type { Comparison, DatasetReport, Figure, Report, TaskName } from '../../report.js'
import {
  differenceText,
  intervalText,
  mainFigures,
  nameParts,
  pText,
  shortName,
  unitOf,
  valueText
} from '../figure-names.js'
import { type Content, html, type Markup } from '../markup.js'
import { reportsOf } from '../tasks-of.js'

/**
 * The figures of a task in rows, by group; of each model the value with its interval, how two models differ,
 * chance and what it is over.
 */
export function figuresTable(report: Report, dataset: DatasetReport, task: TaskName): Markup {
  const models = reportsOf(dataset, task).map(({ model, report: { figures } }) => ({ model, figures }))
  const all = [...new Set(models.flatMap(({ figures }) => Object.keys(figures)))]
  const main = mainFigures(all)
  const table = (names: string[], label: string) =>
    tableOf(report, { models, names, comparisons, label: `${label} of ${dataset.name}, ${task}` })
  const comparisons = new Map(
    dataset.comparisons
      .filter((comparison) => comparison.task === task)
      .map((comparison) => [comparison.figure, comparison])
  )
  return html`${table(main, 'Figures')}${
    main.length < all.length &&
    html`<details>
      <summary>All ${all.length} figures</summary>
      ${table(all, 'All figures')}
    </details>`
  }`
}

interface Rows {
  models: { model: string; figures: Record<string, Figure> }[]
  names: string[]
  comparisons: Map<string, Comparison>
  label: string
}

/** Columns that are there only where a figure has something in them. */
interface Columns {
  difference: boolean
  chance: boolean
}

function tableOf(report: Report, { models, names, comparisons, label }: Rows): Markup {
  const columns = {
    difference: comparisons.size > 0,
    chance: names.some((name) => models.some(({ figures }) => figures[name]?.chance !== undefined))
  }
  const row = (name: string, heading: Markup) => {
    const figures = models.map((model): Figure | undefined => model.figures[name])
    const measured = figures.find((figure) => figure !== undefined)
    const cells = [
      ...figures.map((figure, i) => valueCell(name, figure, i)),
      columns.difference && differenceCells(name, comparisons.get(name)),
      lastCells(name, measured, columns)
    ]
    return html`<tr>
      ${heading}${cells}
    </tr> `
  }
  const body = (group: string, members: string[]): Content => {
    // A line for a group and one for its only figure would be one too many.
    if (group !== '' && members.length === 1)
      return row(
        members[0],
        html`<th scope="row" class="alone" title="${members[0]}">
          <b>${group}</b> ${nameParts(members[0]).measure}
        </th>`
      )
    const heading = html`<tr class="group">
      <th
        scope="rowgroup"
        colspan="${1 + models.length + (columns.difference ? 2 : 0) + (columns.chance ? 2 : 1)}"
      >
        ${group}
      </th>
    </tr> `
    const rows = members.map((name) =>
      row(name, html`<th scope="row" title="${name}">${nameParts(name).measure}</th>`)
    )
    return [group !== '' && heading, rows]
  }
  return scrolled(
    label,
    html`<table class="figures">
      ${headOf(report, models, columns)}
      ${[...grouped(names)].map(
        ([group, members]) =>
          html`<tbody>
            ${body(group, members)}
          </tbody> `
      )}
    </table>`
  )
}

function headOf(report: Report, models: Rows['models'], { difference, chance }: Columns): Markup {
  const title = (model: string) => (report.models.length > 1 ? shortName(model, report) : 'Value')
  const column = (words: string) => html`<th scope="col" class="number">${words}</th>`
  const interval = `${Math.round(report.settings.confidence * 100)} % interval`
  const columns = [
    ...models.map(({ model }) => column(`${title(model)}, ${interval}`)),
    difference && [column('Difference'), column('p')],
    chance && column('Chance'),
    column('n')
  ]
  return html`<thead>
    <tr>
      <th scope="col">Figure</th>
      ${columns}
    </tr>
  </thead>`
}

/** What may be wider than a phone, and is moved through by keyboard too. */
export function scrolled(label: string, content: Content): Markup {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${label}">${content}</div>`
}

/** Figures with the minus that belongs to them, and not broken before a unit or within an interval. */
export function typeset(text: string): string {
  return text
    .replaceAll(/(?<![\w-])-(?=[\d.])/g, '−')
    .replaceAll(/(?<=\d) (?=%|pp|\[)|(?<=\[[^\]]*,) /g, '\u00a0')
}

function valueCell(name: string, figure: Figure | undefined, index: number): Markup {
  if (figure === undefined) return html`<td></td>`
  return html`<td class="number">
    <span class="value"
      ><b>${typeset(valueText(name, figure.value))}</b>
      <span class="muted">${typeset(intervalText(name, figure))}</span></span
    >${intervalStrip(name, figure, index)}
  </td>`
}

function differenceCells(name: string, comparison: Comparison | undefined): Markup {
  if (comparison === undefined)
    return html`<td></td>
      <td></td>`
  const { difference, p } = comparison
  return html`<td class="number">
      <b>${typeset(differenceText(name, difference.value))}</b>
      <span class="muted">${typeset(intervalText(name, difference))}</span>
    </td>
    <td class="number">${p < 0.05 ? html`<b>${pText(p)}</b>` : pText(p)}</td>`
}

function lastCells(name: string, figure: Figure | undefined, { chance }: Columns): Markup {
  const guessed = figure?.chance !== undefined && typeset(valueText(name, figure.chance))
  return html`${chance && html`<td class="number">${guessed}</td>`}
    <td class="number">${figure?.items.toLocaleString('en')}</td>`
}

function grouped(names: string[]): Map<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const name of names)
    groups.set(nameParts(name).group, [...(groups.get(nameParts(name).group) ?? []), name])
  return groups
}

const WIDTH = 120
const HEIGHT = 14

/**
 * A share on the line from 0 to 100 %: its interval, and a mark where chance is. The numbers stand beside it.
 */
export function intervalStrip(name: string, { value, low, high, chance }: Figure, index: number): Content {
  const all = [value, low, high, chance ?? 0]
  if (unitOf(name) !== 'share' || all.some((share) => !(share >= -0.005 && share <= 1.005))) return undefined
  const at = (share: number) => (5 + Math.min(1, Math.max(0, share)) * (WIDTH - 10)).toFixed(1)
  const middle = HEIGHT / 2
  return html`<svg class="strip c${index % 6}" viewBox="0 0 ${WIDTH} ${HEIGHT}" aria-hidden="true">
    <path class="track" d="M5,${middle}H${WIDTH - 5}" />
    ${chance !== undefined && html`<path class="chance" d="M${at(chance)},1V${HEIGHT - 1}" />`}
    <path class="range" d="M${at(low)},${middle}H${at(high)}" />
    <circle cx="${at(value)}" cy="${middle}" r="4" />
  </svg>`
}
