import type { Plot } from '../../report.js'
import { spoken } from '../figure-names.js'
import { intervalText } from '../figure-text.js'
import { html, type Markup } from '../markup.js'
import { pointText } from './plot.js'
import { drawn } from './scales.js'

/** The numbers of a plot, for who can't see it or wants them. */
export function plotTable({ x, y, curves }: Plot): Markup {
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
