import type { DatasetReport, Plot, Report, TaskName } from '../../report.js'
import { levelText, listed, shortName } from '../captions.js'
import { TASK_WORDS } from '../figure-names.js'
import { html, type Content, type Markup } from '../markup.js'
import { plotMarkup } from '../plot/plot.js'
import { plotTable } from '../plot/plot-table.js'
import { flagsOf, reportsOf, type RaisedFlag } from '../tasks-of.js'
import { confusionMarkup } from './confusion.js'
import { figuresTable } from './figures-table.js'
import type { Show } from './pictures.js'
import { queryLists } from './queries.js'

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
