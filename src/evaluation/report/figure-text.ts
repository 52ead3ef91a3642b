import type { Figure } from '../report.js'

/** What a figure is counted in: shares are written in per cent. */
export type Unit = 'share' | 'rank' | 'number'

const RANK = /rank$/
/** Measured in cosines, in standard deviations and the like. */
const NUMBER = /effect|cosine|similarit|margin|distance|score|logit|log_loss|brier|seconds|count|weight$/
/** Shares elsewhere, numbers in these tasks. */
const NUMBER_OF_TASK = /^(word_order|blind)\b.*\.drop$|^bias\b.*\.difference$/

/** The unit of a figure or an axis, by its name. */
export function unitOf(name: string): Unit {
  const named = name.replace(/\[.*\]/s, '').toLowerCase()
  if (RANK.test(named)) return 'rank'
  return NUMBER.test(named) || NUMBER_OF_TASK.test(named) ? 'number' : 'share'
}

/** A value of the named figure: 65.2 %, 3, 0.412. */
export function valueText(name: string, value: number): string {
  const unit = unitOf(name)
  return unit === 'share' ? `${percent(value)} %` : plain(unit, value)
}

/** Its confidence interval, in the unit of the value: [61.8, 68.6]. */
export function intervalText(name: string, { low, high }: Pick<Figure, 'low' | 'high'>): string {
  const unit = unitOf(name)
  const ends = [low, high].map((end) => (unit === 'share' ? percent(end) : plain(unit, end)))
  return `[${ends.join(', ')}]`
}

/** A difference of two values of the named figure, with its sign; shares differ by percentage points. */
export function differenceText(name: string, difference: number): string {
  const unit = unitOf(name)
  const text = unit === 'share' ? `${percent(difference)} pp` : plain(unit, difference)
  return difference > 0 ? `+${text}` : text
}

/** A p value; small ones by their bound, since a permutation test can't tell them apart. */
export function pText(p: number): string {
  return p < 0.001 ? '<0.001' : p.toFixed(3)
}

/** Share as per cent with one decimal; zero has no sign. */
function percent(share: number): string {
  return unsigned((share * 100).toFixed(1))
}

function plain(unit: Unit, value: number): string {
  if (unit === 'rank') return unsigned(Number.isInteger(value) ? String(value) : value.toFixed(1))
  return unsigned(Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(3))
}

function unsigned(text: string): string {
  return /^-[0.]+$/.test(text) ? text.slice(1) : text
}
