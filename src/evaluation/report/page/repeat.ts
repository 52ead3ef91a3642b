import type { Report } from '../../report.js'
import { countsText } from '../captions.js'
import { html, type Content, type Markup } from '../markup.js'
import { scrolled } from './figures-table.js'

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
export function repeatSection({
  models,
  datasets,
  settings,
  command,
  service,
  createdAt,
  seconds
}: Report): Markup {
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
