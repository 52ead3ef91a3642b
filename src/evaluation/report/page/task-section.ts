import type { DatasetReport, Plot, Report, Shown, TaskName, TaskReport, WorstQuery } from '../../report.js'
import { intervalText, levelText, listed, shortName, spoken, TASK_WORDS } from '../figure-names.js'
import { type Content, html, type Markup } from '../markup.js'
import { drawn, plotMarkup, pointText } from '../plot.js'
import { flagsOf, type RaisedFlag, reportsOf } from '../tasks-of.js'
import { confusionMarkup } from './confusion.js'
import { figuresTable, typeset } from './figures-table.js'

/** Curves up to which the plots of several models are one. */
const CURVES = 6

/** What was measured by one task on one dataset. */
export function taskSection(
  report: Report,
  dataset: DatasetReport,
  { task, id, show }: { task: TaskName; id: string; show: Show }
): Markup {
  const reports = reportsOf(dataset, task).map(({ model, report: done }) => ({
    model: report.models.length > 1 ? shortName(model, report) : undefined,
    done
  }))
  const { title, question } = TASK_WORDS[task]
  const flags = flagsOf(dataset, task)
  const figures = reports.some(({ done }) => Object.keys(done.figures).length > 0)
  const plots = plotsOf(reports.map(({ model, done }) => ({ model, plots: done.plots ?? [] })))
  const methods = [...new Set(reports.flatMap(({ done }) => done.method))]
  const confusions = reports.map(
    ({ model, done: { confusion } }, i): Content =>
      confusion && html`<div>${confusionMarkup(confusion, { id: `${id}-m${i}`, model })}</div>`
  )
  return html`<section class="task" id="${id}" aria-labelledby="${id}-head">
    <h3 id="${id}-head">${title}</h3>
    <p class="question">${question}</p>
    ${
      flags.length > 0 &&
      html`<ul class="flags">
        ${flags.map((flag) => flagMarkup(flag, report))}
      </ul>`
    }
    ${figures && figuresTable(report, dataset, task)}
    ${
      plots.length > 0 &&
      html`<div class="plots">
        ${plots.map(
          (plot, i) =>
            html`<figure>
              <figcaption>${plot.title}</figcaption>
              ${plotMarkup(plot, { id: `${id}-p${i}` })}${plotTable(plot)}
            </figure>`
        )}
      </div>`
    }
    <div class="side-by-side">${confusions}</div>
    ${reports.map(({ model, done }) => queryLists(done, { dataset: dataset.name, model, show }))}
    ${
      methods.length > 0 &&
      html`<details>
        <summary>How it was measured</summary>
        <ul class="prose">
          ${methods.map((sentence) => html`<li>${sentence}</li>`)}
        </ul>
      </details>`
    }
  </section> `
}

/** A flag with its level in words, for those who can't tell it by colour. */
export function flagMarkup({ level, message, models }: RaisedFlag, report: Report, where?: Content): Markup {
  const of = models.length > 0 && ` (${listed(models.map((model) => shortName(model, report)))})`
  return html`<li class="flag ${level}"><strong>${levelText(level)}</strong>${of} ${message}${where}</li>`
}

/**
 * Plots of one title of several models are one, unless that would be too many curves; then each is named by
 * its model.
 */
function plotsOf(models: { model?: string; plots: Plot[] }[]): Plot[] {
  const titles = [...new Set(models.flatMap(({ plots }) => plots.map(({ title }) => title)))]
  return titles.flatMap((title) => {
    const same = models.flatMap(({ model, plots }) =>
      plots.filter((plot) => plot.title === title).map((plot) => ({ model, plot }))
    )
    if (same.length === 1) return [same[0].plot]
    const curves = same.flatMap(({ model, plot }) =>
      plot.curves.map((curve) => ({
        ...curve,
        name: plot.curves.length === 1 ? (model ?? curve.name) : `${curve.name}, ${model}`
      }))
    )
    if (curves.length <= CURVES) return [{ ...same[0].plot, curves }]
    return same.map(({ model, plot }) => ({ ...plot, title: `${title} (${model})` }))
  })
}

/** Most base64 of pictures in a page, so that it can be sent by mail. */
const MOST = 8 * 2 ** 20

/** Shows an image or a text of a dataset. Pictures beyond what a page may hold are named only. */
export type Show = (dataset: string, shown: Shown, caption?: string) => Markup

/** Shows from a report's pictures, one page's worth. */
export function showFrom({ pictures }: Pick<Report, 'pictures'>, most = MOST): Show {
  let room = most
  return (dataset, shown, caption) => {
    const below = caption !== undefined && html`<figcaption>${caption}</figcaption>`
    if ('text' in shown)
      return html`<figure class="said">
        <blockquote dir="auto">${shown.text}</blockquote>
        ${below}
      </figure>`
    const key = `${dataset} ${shown.image}`
    const base64 = Object.hasOwn(pictures, key) ? pictures[key] : ''
    if (base64 === '' || base64.length > room)
      return html`<figure class="thumb"><span class="none">${shown.image}</span>${below}</figure>`
    room -= base64.length
    return html`<figure class="thumb">
      <img
        src="data:image/webp;base64,${base64}"
        alt="${shown.image}"
        title="${shown.image}"
        decoding="async"
      />${below}
    </figure>`
  }
}

/** Queries of a list that are shown, and answers and right ones of each. */
const QUERIES = 6
const RETURNED = 5
const EXPECTED = 2

/** The queries that went worst: what was asked, what was right and where it came, and what came. */
function queryLists(
  { worst = [] }: Pick<TaskReport, 'worst'>,
  { dataset, model, show }: { dataset: string; model?: string; show: Show }
): Markup[] {
  const showOne = (shown: Shown, caption?: string) => show(dataset, shown, caption)
  return worst
    .filter(({ queries }) => queries.length > 0)
    .map(({ title, queries }) => {
      const more = queries.length - QUERIES
      return html`<h4>${title}${model !== undefined && html` <span class="muted">(${model})</span>`}</h4>
        <ol class="queries">
          ${queries.slice(0, QUERIES).map((query) => shownQuery(query, showOne))}
        </ol>
        ${more > 0 && html`<p class="muted">${more} more are in the JSON report.</p>`}`
    })
}

function shownQuery(
  { query, expected, returned, rank }: WorstQuery,
  show: (shown: Shown, caption?: string) => Markup
): Markup {
  const answers = expected.slice(0, EXPECTED).map((shown) => show(shown))
  const more = expected.length - EXPECTED
  return html`<li>
    <div>
      <h5>Query</h5>
      ${show(query)}
    </div>
    <div>
      <h5>Right: rank ${rank.toLocaleString('en')}</h5>
      ${answers}${more > 0 && html`<p class="muted">and ${more} more</p>`}
    </div>
    <div>
      <h5>Came instead</h5>
      <div class="returned">
        ${returned.slice(0, RETURNED).map(({ shown, score }) => show(shown, typeset(score.toFixed(3))))}
      </div>
    </div>
  </li> `
}

/** The numbers of a plot, for who can't see it or wants them. */
function plotTable({ x, y, curves }: Plot): Markup {
  const lines = curves.map((curve) => ({
    name: spoken(curve.name),
    points: new Map(drawn(curve).map((point) => [point.x, point]))
  }))
  const values = [...new Set(lines.flatMap(({ points }) => [...points.keys()]))].sort((a, b) => a - b)
  const cell = (point: { y: number; low?: number; high?: number } | undefined) => {
    if (point === undefined) return html`<td></td>`
    const { low, high } = point
    const interval =
      low !== undefined &&
      high !== undefined &&
      html` <span class="muted">${intervalText(y, { low, high })}</span>`
    return html`<td class="number">${pointText(y, point.y)}${interval}</td>`
  }
  return html`<details>
    <summary>Numbers of this plot</summary>
    <div class="scroll" tabindex="0" role="region" aria-label="Numbers of the plot">
      <table>
        <thead>
          <tr>
            <th scope="col">${x}</th>
            ${lines.map(({ name }) => html`<th scope="col" class="number">${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${values.map(
            (value) =>
              html`<tr>
                <th scope="row">${Number(value.toPrecision(6))}</th>
                ${lines.map(({ points }) => cell(points.get(value)))}
              </tr> `
          )}
        </tbody>
      </table>
    </div>
  </details>`
}
