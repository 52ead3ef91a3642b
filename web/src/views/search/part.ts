/** One part of a query beside the words in the box. A negative weight leads away from it. */
export type Part =
  | { kind: 'text'; value: string; weight: number }
  | { kind: 'record'; value: string; weight: number }
  /** A picture that was dropped, by the key under which this page keeps it: a link can't carry the file. */
  | { kind: 'image'; value: string; weight: number }

export const MAX_WEIGHT = 2
export const WEIGHT_STEP = 0.25

const KINDS = { t: 'text', r: 'record', i: 'image' } as const

/** A part as the link has it: `-0.5t:people`, `1r:1f355`. */
export const writePart = ({ kind, value, weight }: Part): string => `${weight}${kind[0]}:${value}`

/** Reads `writePart`'s form; undefined for anything else. */
export function readPart(written: string): Part | undefined {
  const [, weight, kind, value] = /^(-?\d+(?:\.\d+)?)([tri]):([^]+)$/.exec(written) ?? []
  if (value === undefined || Number(weight) === 0 || Math.abs(Number(weight)) > 100) return undefined
  return { kind: KINDS[kind as keyof typeof KINDS], value, weight: Number(weight) }
}

/** Another weight, within what the slider has, its sign kept. */
export function withStrength(part: Part, strength: number): Part {
  return { ...part, weight: Math.sign(part.weight) * Math.min(MAX_WEIGHT, Math.max(WEIGHT_STEP, strength)) }
}
