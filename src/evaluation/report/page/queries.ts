import type { Shown, TaskReport, WorstQuery } from '../../report.js'
import { html, type Markup } from '../markup.js'
import { typeset } from './figures-table.js'
import type { Show } from './pictures.js'

/** Queries of a list that are shown, and answers and right ones of each. */
const QUERIES = 6
const RETURNED = 5
const EXPECTED = 2

/** The queries that went worst: what was asked, what was right and where it came, and what came. */
export function queryLists(
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
