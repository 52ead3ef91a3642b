import { scaleLinear, scaleLog } from 'd3-scale'
import type { Curve, Plot } from '../../report.js'
import { unitOf } from '../figure-text.js'

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
export function xAxis({ x, scale, curves }: Plot, range: Range): Axis {
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
export function yAxis({ y, curves }: Pick<Plot, 'y' | 'curves'>, range: Range): Axis {
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
