import type { Comparison, Report } from '../../report.js'
import { listed, modelNames, shortName } from '../captions.js'
import { spokenName, TASK_WORDS } from '../figure-names.js'
import { differenceText, intervalText, pText, valueText } from '../figure-text.js'
import { headlinesOf, type Headline } from '../headlines.js'
import { html, type Markup } from '../markup.js'
import { flagsOf, tasksOf } from '../tasks-of.js'
import { VERDICT_WORDS } from '../verdict-words.js'
import { verdictsOf, type Verdict } from '../verdicts.js'
import { typeset } from './figures-table.js'
import { intervalStrip } from './interval.js'
import { flagMarkup } from './task-section.js'

/** What the reader must know first: warnings and notes, the figures that sum it up, and what they say. */
export function summary(report: Report): Markup {
  const flags = report.datasets.flatMap((dataset, i) =>
    tasksOf(dataset).flatMap((task) =>
      flagsOf(dataset, task).map((flag) => ({ flag, task, dataset: dataset.name, href: `#d${i}-${task}` }))
    )
  )
  const warnings = flags.filter(({ flag }) => flag.level === 'warning')
  const headlines = headlinesOf(report)
  const whereOf = ({ href, dataset, task }: (typeof warnings)[number]) =>
    html` <a href="${href}">${dataset}, ${TASK_WORDS[task].title.toLowerCase()}</a>`
  return html`<section aria-labelledby="summary">
    <h2 id="summary" class="hidden">Summary</h2>
    ${
      warnings.length > 0 &&
      html`<ul class="flags">
        ${warnings.map((warning) => flagMarkup(warning.flag, report, whereOf(warning)))}
      </ul>`
    }
    ${
      headlines.length > 0 &&
      html`<ul class="headlines">
          ${headlines.map((headline) => headlineCard(report, headline))}
        </ul>
        <p class="key muted">
          Bars: the ${Math.round(report.settings.confidence * 100)} % interval from 0 to 100 %. Upright marks:
          what guessing gives.
        </p>`
    }
    ${modelNames(report).map((name) => verdictLists(report, name))}
  </section> `
}

function headlineCard(report: Report, { dataset, task, figure, values }: Headline): Markup {
  const names = modelNames(report)
  const { chance, items } = values[0].value
  const comparison = report.datasets
    .find(({ name }) => name === dataset)
    ?.comparisons.find((compared) => compared.task === task && compared.figure === figure)
  return html`<li>
    <h3>${spokenName(figure)}</h3>
    <p class="muted">${dataset} · ${items.toLocaleString('en')} items</p>
    ${values.map(({ model, value }) => {
      return html`<div class="headline">
        ${names.length > 1 && html`<span class="model">${shortName(model, report)}</span>`}<span
          ><b>${typeset(valueText(figure, value.value))}</b>
          <span class="muted">${typeset(intervalText(figure, value))}</span></span
        >${intervalStrip(figure, value, names.indexOf(model))}
      </div>`
    })}
    ${comparison && differenceLine(figure, comparison)}
    <p class="muted">
      ${chance !== undefined ? `chance ${typeset(valueText(figure, chance))}` : 'the lower the better'}
    </p>
  </li> `
}

function differenceLine(figure: string, { difference, p }: Comparison): Markup {
  return html`<p>
    Difference <b>${typeset(differenceText(figure, difference.value))}</b>
    <span class="muted">${typeset(intervalText(figure, difference))}, p ${pText(p)}</span>
  </p>`
}

function verdictLists(report: Report, model: string): Markup | false {
  const verdicts = verdictsOf(report, model)
  const kinds = (Object.keys(VERDICT_WORDS) as Verdict['kind'][]).filter((kind) =>
    verdicts.some((verdict) => verdict.kind === kind)
  )
  if (kinds.length === 0) return false
  const datasets = listed([...new Set(verdicts.map(({ dataset }) => dataset))])
  const sentence = ({ text, dataset }: Verdict) =>
    html`<li>
      ${typeset(`${text.charAt(0).toUpperCase()}${text.slice(1)}`)} <span class="muted">(${dataset})</span>
    </li>`
  return html`<div class="verdicts">
    ${modelNames(report).length > 1 && html`<h3>${shortName(model, report)}</h3>`}
    <div class="columns">
      ${kinds.map(
        (kind) =>
          html`<section class="${kind}">
            <h4>${VERDICT_WORDS[kind]}</h4>
            <ul>
              ${verdicts.filter((verdict) => verdict.kind === kind).map(sentence)}
            </ul>
          </section>`
      )}
    </div>
    <p class="muted">Said by rule of the figures on ${datasets}; it holds for data like that.</p>
  </div> `
}
