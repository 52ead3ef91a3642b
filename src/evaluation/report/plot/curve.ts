import { area, line, symbol, symbolCircle, symbolDiamond, symbolSquare, symbolTriangle } from 'd3-shape'
import type { Curve } from '../../report.js'
import { html, type Markup } from '../markup.js'
import { drawn, type Axis } from './scales.js'

const SYMBOLS = [symbolCircle, symbolSquare, symbolTriangle, symbolDiamond]
/** Colours that curves have, as classes c0 to c5 of the style. */
export const COLOURS = 6
/** Lines that others are read against. */
const REFERENCE = /^(chance|perfect\w*|ideal|zero-shot|clean|original)\b/i

type Points = Curve['points']

/** Whether a curve is a level to compare with: it is drawn dashed, without marks. */
export function isReference({ name, points }: Curve): boolean {
  return points.length === 1 || REFERENCE.test(name)
}

/**
 * A line with the band of its interval and a mark at each point; told apart by colour, and by the shape of
 * the marks.
 */
export function curveMarkup(
  curve: Curve,
  { index, x, y, width }: { index: number; x: Axis; y: Axis; width: [number, number] }
): Markup {
  const points = drawn(curve)
  const style = `c${index % COLOURS}`
  if (points.length === 1) return html`<g class="${style}">${level(points[0], y, width)}</g>`
  const path =
    line<Points[number]>(
      (point) => x.at(point.x),
      (point) => y.at(point.y)
    ).digits(1)(points) ?? ''
  const marks =
    !isReference(curve) &&
    points.length <= 40 &&
    points.map((point) => mark(index, x.at(point.x), y.at(point.y)))
  return html`<g class="${style}"
    >${band(points, x, y)}<path class="line${isReference(curve) && ' reference'}" d="${path}" />${marks}</g
  >`
}

/** A mark of a curve at a place. */
export function mark(index: number, x: number, y: number): Markup {
  const shape = symbol(SYMBOLS[index % SYMBOLS.length], 34).digits(1)() ?? ''
  return html`<path class="mark" transform="translate(${x.toFixed(1)},${y.toFixed(1)})" d="${shape}" />`
}

function band(points: Points, x: Axis, y: Axis): Markup | false {
  const bounded = points.filter(({ low, high }) => low !== undefined && high !== undefined)
  if (bounded.length < 2) return false
  const shape =
    area<Points[number]>(
      (point) => x.at(point.x),
      (point) => y.at(point.low as number),
      (point) => y.at(point.high as number)
    ).digits(1)(bounded) ?? ''
  return html`<path class="band" d="${shape}" />`
}

/** One value, over the whole width. */
function level({ y: value, low, high }: Points[number], y: Axis, [from, to]: [number, number]): Markup {
  const at = (place: number) => y.at(place).toFixed(1)
  const bounds =
    low !== undefined &&
    high !== undefined &&
    html`<path class="band" d="M${from},${at(low)}H${to}V${at(high)}H${from}Z" />`
  return html`${bounds}<path class="line reference" d="M${from},${at(value)}H${to}" />`
}
