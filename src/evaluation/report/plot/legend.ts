import type { Curve } from '../../report.js'
import { spoken } from '../figure-names.js'
import { html, type Content, type Markup } from '../markup.js'
import { COLOURS, isReference, mark } from './curve.js'

/** Of an entry's line. */
const KEY = 22
const GAP = 16
const LEGEND_LINE = 18
/** Of the font, on average, in pixels. */
const CHARACTER = 6.4
const LONGEST = 44

/** The names of curves in as many lines as they need; `height` is what they take. */
export function legend(
  curves: Curve[],
  { left, width }: { left: number; width: number }
): { height: number; markup: Content } {
  if (curves.length < 2) return { height: 0, markup: undefined }
  let x = 0
  let row = 0
  const entries = curves.map((curve, index): Markup => {
    const words = spoken(curve.name)
    const name = words.length > LONGEST ? `${words.slice(0, LONGEST - 1)}…` : words
    const wide = KEY + 5 + name.length * CHARACTER
    if (x > 0 && x + wide > width) {
      x = 0
      row++
    }
    const [at, y] = [left + x, row * LEGEND_LINE + 9]
    x += wide + GAP
    return html`<g class="c${index % COLOURS}"
      ><path
        class="line${isReference(curve) && ' reference'}"
        d="M${at.toFixed(1)},${y}h${KEY}"
      />${!isReference(curve) && mark(index, at + KEY / 2, y)}<text
        x="${(at + KEY + 5).toFixed(1)}"
        y="${y + 4}"
        >${name}</text
      ></g
    >`
  })
  return { height: (row + 1) * LEGEND_LINE + 6, markup: entries }
}
