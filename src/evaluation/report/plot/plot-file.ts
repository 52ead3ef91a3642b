import type { Plot } from '../../report.js'
import { html } from '../markup.js'
import { plotMarkup } from './plot.js'
import { curveColours, PLOT_STYLE } from './plot-style.js'

const LIGHT = '--ground:#fff;--text:#1b1b22;--muted:#5a5a68;--line:#dcdce4;--line-strong:#8a8a99'
const DARK = '--ground:#1a1c23;--text:#ececf1;--muted:#a6a8b5;--line:#32353f;--line-strong:#7d8194'
const STYLE = `.plot { ${LIGHT};${curveColours('light')} }
@media (prefers-color-scheme: dark) { .plot { ${DARK};${curveColours('dark')} } }
.ground { fill: var(--ground); }${PLOT_STYLE}`

/** A plot as an SVG file that stands alone, on a ground of its own, in the theme of who looks. */
export function plotFile(plot: Plot): string {
  const before = html`<style>
      ${{ markup: STYLE }}</style
    ><rect class="ground" width="100%" height="100%" rx="8" />`
  return `${plotMarkup(plot, { id: 'plot', before }).markup}\n`
}
