import type { TaskReport } from '../../report.js'
import { html, type Content, type Markup } from '../markup.js'
import { scrolled } from './figures-table.js'

type Confusion = NonNullable<TaskReport['confusion']>

/** Labels up to which every count is written, and up to which the matrix is drawn. */
const WRITTEN = 16
const DRAWN = 60
/** Shades of a cell, by its share of its row. */
const SHADES = 8
const PAIRS = 15

/**
 * Which labels are taken for which: a table with shaded cells, a picture where there are too many for that,
 * and the pairs most often confused where there are more still.
 */
export function confusionMarkup(confusion: Confusion, { id, model }: { id: string; model?: string }): Markup {
  const of = model === undefined ? '' : ` of ${model}`
  const { length } = confusion.labels
  const matrix =
    length <= WRITTEN
      ? written(confusion, `Confusion matrix${of}`)
      : length <= DRAWN
        ? drawn(confusion, { id, title: `Confusion matrix${of}` })
        : undefined
  const legend =
    'Rows are what images are, columns what they were taken for; the darker, the larger the share of the row.'
  return html`<h4>
      What is taken for what${model !== undefined && html` <span class="muted">(${model})</span>`}
    </h4>
    ${matrix !== undefined && html`<p class="muted">${legend}</p>`}${matrix}
    ${
      length > WRITTEN
        ? pairs(confusion)
        : html`<details>
            <summary>Pairs most often confused</summary>
            ${pairs(confusion)}
          </details>`
    }`
}

function written({ labels, counts }: Confusion, title: string): Markup {
  const cells = (row: number[], i: number) =>
    row.map((count, j) => html`<td class="h${shade(count, row)}${i === j && ' right'}">${count}</td>`)
  return scrolled(
    title,
    html`<table class="confusion">
      <caption class="hidden">
        ${title}
      </caption>
      <thead>
        <tr>
          <td></td>
          ${labels.map((label) => html`<th scope="col"><span>${label}</span></th>`)}
        </tr>
      </thead>
      <tbody>
        ${counts.map(
          (row, i) =>
            html`<tr>
              <th scope="row">${labels[i]}</th>
              ${cells(row, i)}
            </tr> `
        )}
      </tbody>
    </table>`
  )
}

/** Cells of `SIDE` pixels; those without a count are left out. */
const SIDE = 11
const LABEL = 130
/** Of a label's characters. */
const LONGEST = 20

function drawn({ labels, counts }: Confusion, { id, title }: { id: string; title: string }): Markup {
  const size = LABEL + labels.length * SIDE
  const short = (label: string) => (label.length > LONGEST ? `${label.slice(0, LONGEST - 1)}…` : label)
  const at = (i: number) => LABEL + i * SIDE
  const cells = counts.map((row, i) =>
    row.map(
      (count, j): Content =>
        count > 0 &&
        html`<rect
          class="h${shade(count, row)}"
          x="${at(j)}"
          y="${at(i)}"
          width="${SIDE - 1}"
          height="${SIDE - 1}"
          ><title>${labels[i]} taken for ${labels[j]}: ${count}</title></rect
        >`
    )
  )
  const names = labels.map(
    (label, i) =>
      html`<text x="${LABEL - 5}" y="${at(i) + 9}" text-anchor="end">${short(label)}</text
        ><text transform="translate(${at(i) + 8.5},${LABEL - 5}) rotate(-90)">${short(label)}</text>`
  )
  return scrolled(
    title,
    html`<svg
      class="matrix"
      style="width:${size}px"
      viewBox="0 0 ${size} ${size}"
      role="img"
      aria-labelledby="${id}-title ${id}-desc"
    >
      <title id="${id}-title">${title}</title>
      <desc id="${id}-desc">${described({ labels, counts })}</desc>
      ${names}${cells}
    </svg>`
  )
}

function described(confusion: Confusion): string {
  const { labels, counts } = confusion
  const right = counts.reduce((sum, row, i) => sum + row[i], 0)
  const all = counts.flat().reduce((a, b) => a + b, 0)
  const worst = confusedPairs(confusion)[0]
  const confused =
    worst === undefined ? '' : `Most often ${worst.label} is taken for ${worst.taken}, ${worst.count} times.`
  return `${labels.length} labels; ${right} of ${all} images are on the diagonal. ${confused}`
}

function pairs(confusion: Confusion): Markup {
  const worst = confusedPairs(confusion)
  if (worst.length === 0) return html`<p>None was taken for another.</p>`
  return scrolled(
    'Pairs most often confused',
    html`<table>
      <thead>
        <tr>
          <th scope="col">Label</th>
          <th scope="col">Taken for</th>
          <th scope="col" class="number">Images</th>
          <th scope="col" class="number">Of the label</th>
        </tr>
      </thead>
      <tbody>
        ${worst.map(
          ({ label, taken, count, share }) =>
            html`<tr>
              <th scope="row">${label}</th>
              <td>${taken}</td>
              <td class="number">${count}</td>
              <td class="number">${(share * 100).toFixed(0)} %</td>
            </tr> `
        )}
      </tbody>
    </table>`
  )
}

function confusedPairs({
  labels,
  counts
}: Confusion): { label: string; taken: string; count: number; share: number }[] {
  const all = counts.flatMap((row, i) => {
    const images = row.reduce((a, b) => a + b, 0)
    return row.map((count, j) => ({
      label: labels[i],
      taken: labels[j],
      count: i === j ? 0 : count,
      share: count / images
    }))
  })
  return all
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count || b.share - a.share)
    .slice(0, PAIRS)
}

function shade(count: number, row: number[]): number {
  const images = row.reduce((a, b) => a + b, 0)
  return count === 0 ? 0 : Math.max(1, Math.round((count / images) * SHADES))
}
