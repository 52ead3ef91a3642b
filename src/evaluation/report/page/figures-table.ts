import type { Comparison, DatasetReport, Figure, Report, TaskName } from '../../report.js'
import { shortName } from '../captions.js'
import { nameParts } from '../figure-names.js'
import { differenceText, intervalText, pText, valueText } from '../figure-text.js'
import { mainFigures } from '../main-figures.js'
import { html, type Content, type Markup } from '../markup.js'
import { reportsOf } from '../tasks-of.js'
import { intervalStrip } from './interval.js'

/** The figures of a task in rows, by group; of each model the value with its interval, how two models differ, chance and what it is over. */
export function figuresTable(report: Report, dataset: DatasetReport, task: TaskName): Markup {
  const models = reportsOf(dataset, task).map(({ model, report: { figures } }) => ({ model, figures }))
  const all = [...new Set(models.flatMap(({ figures }) => Object.keys(figures)))]
  const main = mainFigures(all)
  const table = (names: string[], label: string) => tableOf(report, { models, names, comparisons, label: `${label} of ${dataset.name}, ${task}` })
  const comparisons = new Map(dataset.comparisons.filter((comparison) => comparison.task === task).map((comparison) => [comparison.figure, comparison]))
  return html`${table(main, 'Figures')}${main.length < all.length && html`<details><summary>All ${all.length} figures</summary>${table(all, 'All figures')}</details>`}`
}

interface Rows {
  models: { model: string; figures: Record<string, Figure> }[]
  names: string[]
  comparisons: Map<string, Comparison>
  label: string
}

function tableOf(report: Report, { models, names, comparisons, label }: Rows): Markup {
  const several = report.models.length > 1
  const groups = grouped(names)
  const columns = 3 + models.length + (comparisons.size > 0 ? 2 : 0)
  const row = (name: string) => html`<tr><th scope="row" title="${name}">${nameParts(name).measure}</th>${models.map(({ figures }, i) => valueCell(name, figures[name], i))}${comparisons.size > 0 && differenceCells(name, comparisons.get(name))}${lastCells(name, models.map(({ figures }) => figures[name]).find((figure) => figure !== undefined))}</tr>\n`
  return scrolled(label, html`<table class="figures"><thead><tr><th scope="col">Figure</th>${models.map(({ model }) => html`<th scope="col" class="number">${several ? shortName(model, report) : 'Value'}, ${Math.round(report.settings.confidence * 100)} % interval</th>`)}${comparisons.size > 0 && html`<th scope="col" class="number">Difference</th><th scope="col" class="number">p</th>`}<th scope="col" class="number">Chance</th><th scope="col" class="number">n</th></tr></thead>
${[...groups].map(([group, members]) => html`<tbody>${group !== '' && html`<tr class="group"><th scope="rowgroup" colspan="${columns}">${group}</th></tr>`}
${members.map(row)}</tbody>`)}</table>`)
}

/** What may be wider than a phone, and is moved through by keyboard too. */
export function scrolled(label: string, content: Content): Markup {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${label}">${content}</div>`
}

/** Figures with the minus that belongs to them, and not broken before a unit or within an interval. */
export function typeset(text: string): string {
  return text.replaceAll(/(?<![\w-])-(?=[\d.])/g, '−').replaceAll(/(?<=\d) (?=%|pp|\[)|(?<=\[[^\]]*,) /g, '\u00a0')
}

function valueCell(name: string, figure: Figure | undefined, index: number): Markup {
  if (figure === undefined) return html`<td></td>`
  return html`<td class="number"><span class="value"><b>${typeset(valueText(name, figure.value))}</b> <span class="muted">${typeset(intervalText(name, figure))}</span></span>${intervalStrip(name, figure, index)}</td>`
}

function differenceCells(name: string, comparison: Comparison | undefined): Markup {
  if (comparison === undefined) return html`<td></td><td></td>`
  const { difference, p } = comparison
  return html`<td class="number"><b>${typeset(differenceText(name, difference.value))}</b> <span class="muted">${typeset(intervalText(name, difference))}</span></td><td class="number">${p < 0.05 ? html`<b>${pText(p)}</b>` : pText(p)}</td>`
}

function lastCells(name: string, figure: Figure | undefined): Markup {
  return html`<td class="number">${figure?.chance !== undefined && valueText(name, figure.chance)}</td><td class="number">${figure?.items.toLocaleString('en')}</td>`
}

function grouped(names: string[]): Map<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const name of names) groups.set(nameParts(name).group, [...(groups.get(nameParts(name).group) ?? []), name])
  return groups
}
