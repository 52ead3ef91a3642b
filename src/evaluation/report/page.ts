import type { DatasetReport, Report } from '../report.js'
import { countsText, reportTitle } from './captions.js'
import { TASK_WORDS } from './figure-names.js'
import { escape, html, type Markup } from './markup.js'
import { PAGE_STYLE } from './page/page-style.js'
import { showFrom, type Show } from './page/pictures.js'
import { repeatSection } from './page/repeat.js'
import { summary } from './page/summary.js'
import { taskSection } from './page/task-section.js'
import { tasksOf } from './tasks-of.js'

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
