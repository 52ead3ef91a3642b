import type { Curve, Plot } from '../../report.js'
import { spoken } from '../figure-names.js'
import { unitOf, valueText } from '../figure-text.js'
import { html, type Content, type Markup } from '../markup.js'
import { curveMarkup } from './curve.js'
import { legend } from './legend.js'
import { drawn, xAxis, yAxis, type Axis } from './scales.js'

export interface PlotOptions {
  /** Unique within the page. */
  id: string
  /** What comes first inside, as the style of a file of its own. */
  before?: Content
}

/** Sized so that the text is read on a phone too, where the whole is narrower. */
const WIDTH = 440
const PLOT_HEIGHT = 220
const LEFT = 58
const RIGHT = 14
const BOTTOM = 44
const TOP = 8

/**
 * A plot as SVG, coloured by the style of the page that it is in; with a title, and a description that says
 * what it shows.
 */
export function plotMarkup(plot: Plot, { id, before }: PlotOptions): Markup {
  const curves = [...plot.curves, ...diagonal(plot)].filter((curve) => drawn(curve).length > 0)
  const names = legend(curves, { left: LEFT, width: WIDTH - LEFT - RIGHT })
  const top = TOP + names.height
  const [bottom, right] = [top + PLOT_HEIGHT, WIDTH - RIGHT]
  const x = xAxis(plot, [LEFT + 8, right - 8])
  const y = yAxis({ y: plot.y, curves }, [bottom, top])
  return html`<svg
    class="plot"
    xmlns="http://www.w3.org/2000/svg"
    viewBox="0 0 ${WIDTH} ${bottom + BOTTOM}"
    role="img"
    aria-labelledby="${id}-title ${id}-desc"
  >
    <title id="${id}-title">${plot.title}</title>
    <desc id="${id}-desc">${description(plot)}</desc>
    ${before} ${axes({ x, y }, { top, bottom, right })}
    <text class="label" x="${(LEFT + right) / 2}" y="${bottom + 36}" text-anchor="middle">${plot.x}</text>
    <text class="label" transform="translate(11,${(top + bottom) / 2}) rotate(-90)" text-anchor="middle">
      ${plot.y}
    </text>
    ${names.height > 0 && html`<g transform="translate(0,${TOP - 4})">${names.markup}</g>`}
    ${curves.map((curve, index) => curveMarkup(curve, { index, x, y, width: [LEFT, right] }))}
  </svg>`
}

function axes(
  { x, y }: { x: Axis; y: Axis },
  { top, bottom, right }: { top: number; bottom: number; right: number }
): Markup {
  const rows = y.ticks.map(
    ({ value, text }) =>
      html`<path class="grid" d="M${LEFT},${y.at(value).toFixed(1)}H${right}" /><text
          x="${LEFT - 6}"
          y="${(y.at(value) + 4).toFixed(1)}"
          text-anchor="end"
          >${text}</text
        >`
  )
  const columns = x.ticks.map(
    ({ value, text }) =>
      html`<path class="tick" d="M${x.at(value).toFixed(1)},${bottom}v5" /><text
          x="${x.at(value).toFixed(1)}"
          y="${bottom + 18}"
          text-anchor="middle"
          >${text}</text
        >`
  )
  return html`${rows}${columns}<path
      class="axis"
      d="M${LEFT},${bottom}H${right}"
    />${y.ticks[0]?.value < 0 && html`<path class="axis" d="M${LEFT},${y.at(0).toFixed(1)}H${right}" />`}<path
      class="axis"
      d="M${LEFT},${top}V${bottom}"
    />`
}

/** Where the accuracy is the confidence: what a reliability diagram is read against. */
function diagonal({ x, y, curves }: Plot): Curve[] {
  const isReliability =
    /confidence/i.test(x) && /accuracy/i.test(y) && !curves.some(({ name }) => /perfect|ideal/i.test(name))
  const values = curves.flatMap(({ points }) => points.map((point) => point.x)).filter(Number.isFinite)
  if (!isReliability || values.length === 0) return []
  return [
    {
      name: 'perfectly calibrated',
      points: [Math.min(...values), Math.max(...values)].map((value) => ({ x: value, y: value }))
    }
  ]
}

/** From where to where each curve goes, in words. */
function description({ x, y, curves }: Plot): string {
  const lines = curves.map((curve) => {
    const points = drawn(curve)
    if (points.length === 0) return `${spoken(curve.name)}: nothing.`
    const [first, last] = [points[0], points[points.length - 1]]
    const text = (value: number) => pointText(y, value)
    return points.length === 1
      ? `${spoken(curve.name)}: ${text(first.y)}.`
      : `${spoken(curve.name)}: ${text(first.y)} at ${first.x}, ${text(last.y)} at ${last.x}.`
  })
  return `${y} by ${x}. ${lines.join(' ')}`
}

/** A value of an axis in words: shares, which lie within one, in per cent. */
export function pointText(axis: string, value: number): string {
  return unitOf(axis) === 'share' && Math.abs(value) > 1
    ? String(Number(value.toPrecision(4)))
    : valueText(axis, value)
}
