import { interpolateViridis, schemeObservable10 } from 'd3-scale-chromatic'

type Rgb = [number, number, number]

/** What colours mean: some values, or a scale from least to most. */
export type Legend =
  | { kind: 'values'; entries: { value: string; color: string; points: number }[] }
  | { kind: 'scale'; least: string; most: string }

/**
 * A colour for each point, shape `[n, 4]`, and what they mean. `groups` says which entry of the legend a
 * point belongs to.
 */
export interface Coloring {
  colors: Uint8Array
  legend?: Legend
  groups?: Int32Array
}

/** What has no value, or one that is too rare for a colour of its own. */
const GREY: Rgb = [138, 138, 153]
const ONE: Rgb = [99, 102, 241]
const OPACITY = 215
/** Values with a colour of their own: as many as can be told apart. */
const MOST_VALUES = schemeObservable10.length
const REST = 'others'

/** All points alike. */
export function colorPlain(n: number): Coloring {
  return { colors: paint(n, () => ONE) }
}

/** By a field: its most frequent values each have a colour, numbers a scale. */
export function colorByValues(values: unknown[]): Coloring {
  const numbers = values.map(numberOf)
  if (
    values.some((value) => value !== null) &&
    values.every((value, point) => value === null || !Number.isNaN(numbers[point])) &&
    new Set(values).size > MOST_VALUES
  ) {
    return colorByNumbers(
      Float64Array.from(numbers),
      typeof values.find((value) => value !== null) === 'string'
        ? (at) => new Date(at).toISOString().slice(0, 10)
        : String
    )
  }
  // A list counts by its first element.
  const names = values.map((value) => String((Array.isArray(value) ? value[0] : value) ?? 'none'))
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  const ranked = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  const own = ranked.length <= MOST_VALUES ? ranked : ranked.slice(0, MOST_VALUES - 1)
  const entries = own.map(([value, points], at) => ({
    value,
    points,
    color: schemeObservable10[at] as string
  }))
  const rest = ranked.slice(own.length).reduce((sum, [, points]) => sum + points, 0)
  if (rest > 0) entries.push({ value: REST, points: rest, color: toHex(GREY) })
  const groupOf = new Map(own.map(([value], at) => [value, at]))
  const groups = Int32Array.from(names, (name) => groupOf.get(name) ?? own.length)
  const palette = entries.map(({ color }) => fromHex(color))
  return {
    colors: paint(values.length, (point) => palette[groups[point]]),
    legend: { kind: 'values', entries },
    groups
  }
}

/**
 * By a number: from the 2nd to the 98th percentile, so that a few far ones leave the others their colours.
 * NaN is grey.
 */
export function colorByNumbers(
  numbers: Float32Array | Float64Array,
  write: (value: number) => string
): Coloring {
  const sorted = numbers.filter((value) => !Number.isNaN(value)).sort()
  if (sorted.length === 0) return { colors: paint(numbers.length, () => GREY) }
  const at = (part: number) => sorted[Math.round((sorted.length - 1) * part)]
  const [least, most] = [at(0.02), at(0.98)]
  const colors = paint(numbers.length, (point) =>
    Number.isNaN(numbers[point])
      ? GREY
      : scaleColor(most > least ? (numbers[point] - least) / (most - least) : 0.5)
  )
  return { colors, legend: { kind: 'scale', least: write(least), most: write(most) } }
}

/** Colours of a scale are kept, since to make one parses a string. */
const SCALE = Array.from({ length: 256 }, (_, at) => fromCss(interpolateViridis(at / 255)))
const scaleColor = (part: number): Rgb => SCALE[Math.round(255 * Math.min(1, Math.max(0, part)))]

function paint(n: number, colorOf: (point: number) => Rgb): Uint8Array {
  const colors = new Uint8Array(4 * n)
  for (let point = 0; point < n; point++) {
    colors.set(colorOf(point), 4 * point)
    colors[4 * point + 3] = OPACITY
  }
  return colors
}

/** A number, or the time of a date as ISO 8601; NaN for all else. */
function numberOf(value: unknown): number {
  if (typeof value === 'number') return value
  return typeof value === 'string' && /^\d{4}-\d{2}-\d{2}/.test(value) ? Date.parse(value) : NaN
}

function fromCss(color: string): Rgb {
  return color.startsWith('#') ? fromHex(color) : (color.match(/\d+/g)!.map(Number).slice(0, 3) as Rgb)
}
function fromHex(color: string): Rgb {
  return [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16)) as Rgb
}
function toHex(color: Rgb): string {
  return `#${color.map((part) => part.toString(16).padStart(2, '0')).join('')}`
}
