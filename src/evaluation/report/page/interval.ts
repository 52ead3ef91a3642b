import type { Figure } from '../../report.js'
import { unitOf } from '../figure-text.js'
import { html, type Content } from '../markup.js'

const WIDTH = 120
const HEIGHT = 14

/**
 * A share on the line from 0 to 100 %: its interval, and a mark where chance is. The numbers stand beside it.
 */
export function intervalStrip(name: string, { value, low, high, chance }: Figure, index: number): Content {
  const all = [value, low, high, chance ?? 0]
  if (unitOf(name) !== 'share' || all.some((share) => !(share >= -0.005 && share <= 1.005))) return undefined
  const at = (share: number) => (5 + Math.min(1, Math.max(0, share)) * (WIDTH - 10)).toFixed(1)
  const middle = HEIGHT / 2
  return html`<svg class="strip c${index % 6}" viewBox="0 0 ${WIDTH} ${HEIGHT}" aria-hidden="true">
    <path class="track" d="M5,${middle}H${WIDTH - 5}" />
    ${chance !== undefined && html`<path class="chance" d="M${at(chance)},1V${HEIGHT - 1}" />`}
    <path class="range" d="M${at(low)},${middle}H${at(high)}" />
    <circle cx="${at(value)}" cy="${middle}" r="4" />
  </svg>`
}
