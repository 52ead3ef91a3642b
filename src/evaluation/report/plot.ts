import { scaleLinear, scaleLog } from 'd3-scale'
import { area, line, symbol, symbolCircle, symbolDiamond, symbolSquare, symbolTriangle } from 'd3-shape'
import type { Curve, Plot } from '../report.js'
import { spoken, unitOf, valueText } from './figure-names.js'
import { type Content, html, type Markup } from './markup.js'

/** From values to places, with the values that are marked. */
export interface Axis {
  at(value: number): number
  ticks: { value: number; text: string }[]
}

type Range = [number, number]

/** Most marks where every x of the data has its own. */
const OWN_TICKS = 8
/** Least room between two marks of x. */
const TICK_ROOM = 26

/**
 * The axis of x: linear, or logarithmic with the values of the data marked, as examples a class of 1, 2, 4
 * and 8.
 */
function xAxis({ x, scale, curves }: Plot, range: Range): Axis {
  const values = [...new Set(curves.flatMap(({ points }) => points.map((point) => point.x)))].sort(
    (a, b) => a - b
  )
  const isLog = scale === 'log' && values[0] > 0
  const [low, high] = domainOf(values)
  const place = isLog ? scaleLog([low, high], range).base(2) : scaleLinear([low, high], range)
  const isShare = /confidence|share|probability/i.test(x)
  const own = values.length <= OWN_TICKS && !isShare
  const marked = own ? values : place.ticks(5)
  return {
    at: place,
    ticks: spaced(marked, place).map((value) => ({
      value,
      text: isShare ? `${round(value * 100)} %` : round(value)
    }))
  }
}

/** The axis of y, from zero where nothing is below, and to 100 % where much is over half of it. */
function yAxis({ y, curves }: Pick<Plot, 'y' | 'curves'>, range: Range): Axis {
  const values = curves
    .flatMap(({ points }) => points.flatMap(({ y: value, low = value, high = value }) => [low, value, high]))
    .filter(Number.isFinite)
  const isShare = unitOf(y) === 'share' && values.every((value) => Math.abs(value) <= 1)
  const highest = Math.max(0, ...values)
  const domain: Range = [Math.min(0, ...values), isShare && highest > 0.5 ? 1 : highest || 1]
  const place = scaleLinear(domain, range).nice(5)
  return {
    at: place,
    ticks: place
      .ticks(5)
      .map((value) => ({ value, text: isShare ? `${round(value * 100)} %` : round(value) }))
  }
}

/** A curve's points as they are drawn: by x, those that are numbers, and no more than a plot can show. */
export function drawn({ points }: Curve, most = 200): Curve['points'] {
  const sorted = points
    .filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))
    .sort((a, b) => a.x - b.x)
  const step = Math.ceil(sorted.length / most)
  return step < 2 ? sorted : sorted.filter((_, i) => i % step === 0 || i === sorted.length - 1)
}

function domainOf(values: number[]): Range {
  if (values.length === 0) return [0, 1]
  const [low, high] = [values[0], values[values.length - 1]]
  return low === high ? [low - 0.5, high + 0.5] : [low, high]
}

/** Those of the values whose marks have room. */
function spaced(values: number[], at: (value: number) => number): number[] {
  const kept: number[] = []
  for (const value of values)
    if (kept.length === 0 || at(value) - at(kept[kept.length - 1]) >= TICK_ROOM) kept.push(value)
  return kept
}

function round(value: number): string {
  return String(Number(value.toPrecision(4))).replace('-', '−')
}

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
function curveMarkup(
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

/** Of an entry's line. */
const KEY = 22
const GAP = 16
const LEGEND_LINE = 18
/** Of the font, on average, in pixels. */
const CHARACTER = 6.4
const LONGEST = 44

/** The names of curves in as many lines as they need; `height` is what they take. */
function legend(
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

/** Colours of curves in both themes, each at least 4.5 to 1 on the ground: c0, c1 and so on. */
const LIGHT = ['#4338ca', '#b45309', '#0f766e', '#be185d', '#4d7c0f', '#0369a1']
const DARK = ['#a5b4fc', '#fdba74', '#5eead4', '#f9a8d4', '#bef264', '#7dd3fc']

/** The variables of curves' colours, as declarations. */
export function curveColours(theme: 'light' | 'dark'): string {
  return (theme === 'light' ? LIGHT : DARK).map((colour, i) => `--c${i}:${colour}`).join(';')
}

/** How plots are drawn, by the variables --text, --muted, --line and those of curves. */
export const PLOT_STYLE = `
.plot text {
  fill: var(--muted);
  font: 12px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif;
  font-variant-numeric: tabular-nums;
}
.plot .label { fill: var(--text); }
.plot g text { fill: var(--text); }
.plot path { fill: none; }
.plot .grid { stroke: var(--line); stroke-width: 1; }
.plot .axis, .plot .tick { stroke: var(--line-strong); stroke-width: 1; }
.plot .line { stroke: var(--c); stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.plot .reference { stroke-width: 1.5; stroke-dasharray: 5 5; }
.plot .band { fill: var(--c); opacity: 0.16; }
.plot .mark { fill: var(--c); }
${LIGHT.map((_, i) => `.c${i} { --c: var(--c${i}); }`).join(' ')}`
