import type { Comparison, DatasetReport, Report } from '../report.js'
import {
  countsText,
  differenceText,
  intervalText,
  listed,
  modelNames,
  pText,
  reportTitle,
  shortName,
  spokenName,
  TASK_WORDS,
  valueText
} from './figure-names.js'
import { type Content, escape, html, type Markup } from './markup.js'
import { intervalStrip, scrolled, typeset } from './page/figures-table.js'
import { PAGE_STYLE } from './page/page-style.js'
import { flagMarkup, type Show, showFrom, taskSection } from './page/task-section.js'
import { flagsOf, tasksOf } from './tasks-of.js'
import { type Headline, headlinesOf, type Verdict, VERDICT_WORDS, verdictsOf } from './verdicts.js'

const POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
const ICON =
  '<svg class="icon" viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="8" ' +
  'fill="#4f46e5"/><circle cx="12.5" cy="16" r="6.5" fill="#fff" fill-opacity=".95"/><circle cx="19.5" ' +
  'cy="16" r="6.5" fill="#a5b4fc" fill-opacity=".75"/></svg>'

/**
 * A report as one HTML page that needs nothing else, to be sent around: no script, pictures inside; text of
 * datasets is text in it.
 */
export function renderPage(report: Report): string {
  const show = showFrom(report)
  const title = reportTitle(report)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="content-security-policy" content="${POLICY}">
<meta name="color-scheme" content="light dark">
<title>${escape(title)}</title>
<style>${PAGE_STYLE}
</style>
</head>
${body(report, title, show).markup}
</html>
`
}

function body(report: Report, title: string, show: Show): Markup {
  const taskLinks = (dataset: DatasetReport, i: number) =>
    tasksOf(dataset).map((task) => html`<li><a href="#d${i}-${task}">${TASK_WORDS[task].title}</a></li>`)
  return html`<body>
    <header>
      <p class="brand">${{ markup: ICON }}Semblance ${report.service}</p>
      <h1>${title}</h1>
      <p class="muted">
        ${report.createdAt.slice(0, 10)} · ${report.datasets.map(({ name }) => name).join(', ')}
      </p>
    </header>
    <main>
      ${summary(report)}
      <nav aria-label="Contents">
        <ul>
          ${report.datasets.map(
            (dataset, i) =>
              html`<li>
                <a href="#d${i}">${dataset.name}</a>
                <ul>
                  ${taskLinks(dataset, i)}
                </ul>
              </li>`
          )}
          <li><a href="#repeat">How to repeat it</a></li>
        </ul>
      </nav>
      ${report.datasets.map((dataset, i) => datasetSection(report, dataset, { id: `d${i}`, show }))}
      ${repeatSection(report)}
    </main>
  </body>`
}

function datasetSection(
  report: Report,
  dataset: DatasetReport,
  { id, show }: { id: string; show: Show }
): Markup {
  const { faults, counts } = dataset
  const more = counts.faults > faults.length && html`<li>and ${counts.faults - faults.length} more</li>`
  return html`<section class="dataset" id="${id}" aria-labelledby="${id}-head">
    <h2 id="${id}-head">${dataset.name}</h2>
    <p class="muted">${countsText(dataset)}</p>
    ${
      counts.faults > 0 &&
      html`<details>
        <summary>What could not be read</summary>
        <ul class="prose">
          ${faults.map(({ name, reason }) => html`<li><code>${name}</code> ${reason}</li>`)}${more}
        </ul>
      </details>`
    }
    ${tasksOf(dataset).map((task) => taskSection(report, dataset, { task, id: `${id}-${task}`, show }))}
  </section> `
}

const PERMUTATION_TEST =
  'p is of a paired permutation test on the same items, two-sided. It is not corrected for how many ' +
  'figures are compared: of twenty without a difference, one is expected below 0.05.'

/** A command, with its options marked. */
function marked(command: string): Content[] {
  return command
    .split(/(--[\w-]+)/)
    .map((part, i) => (i % 2 === 0 ? part : html`<span class="flag-name">${part}</span>`))
}

/** What a repetition needs, and how figures are to be read. */
function repeatSection({ models, datasets, settings, command, service, createdAt, seconds }: Report): Markup {
  const level = `${Math.round(settings.confidence * 100)} %`
  const compared = datasets.some(({ comparisons }) => comparisons.length > 0)
  return html`<section id="repeat" aria-labelledby="repeat-head">
    <h2 id="repeat-head">How to repeat it</h2>
    ${command !== undefined && html`<pre><code>${marked(command)}</code></pre> `}
    <ul class="prose">
      <li>
        Intervals are ${level} bootstrap intervals of ${settings.resamples.toLocaleString('en')} resamples
        with seed ${settings.seed}: where one includes chance, the figure may be guessing.
      </li>
      ${compared && html`<li>${PERMUTATION_TEST}</li>`}
      <li>
        The same version, model fingerprints, datasets and options give the same figures on the same kind of
        machine; on another, embeddings differ in their last digits.
      </li>
    </ul>
    ${scrolled(
      'What was run',
      html`<table>
        <tbody>
          <tr>
            <th scope="row">Semblance</th>
            <td>${service}</td>
          </tr>
          <tr>
            <th scope="row">Made</th>
            <td>${createdAt}, in ${seconds.toFixed(1)} s</td>
          </tr>
          ${models.map(
            ({ name, fingerprint, dimension }) =>
              html`<tr>
                <th scope="row">${name}</th>
                <td>${dimension} dimensions, fingerprint <code>${fingerprint}</code></td>
              </tr> `
          )}${datasets.map(
            (dataset) =>
              html`<tr>
                <th scope="row">${dataset.name}</th>
                <td>${countsText(dataset)}</td>
              </tr> `
          )}
        </tbody>
      </table>`
    )}
  </section> `
}

/** What the reader must know first: warnings and notes, the figures that sum it up, and what they say. */
function summary(report: Report): Markup {
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
