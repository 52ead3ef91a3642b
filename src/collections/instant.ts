/** A moment that a string states with its zone, beside the string. */
export class Instant {
  readonly text: string
  /** Whole seconds since 1970, without leap seconds. */
  readonly seconds: number
  /**
   * What comes after them: digits of the fraction without zeros at the end, behind a colon within a leap
   * second. They compare as strings.
   */
  readonly rest: string

  constructor(text: string, { seconds, rest }: { seconds: number; rest: string }) {
    this.text = text
    this.seconds = seconds
    this.rest = rest
  }
}

const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$/
const SHORTEST = '0000-01-01T00:00:00Z'.length
const DASH = 0x2d

/**
 * The instant of a date and time with a zone as in RFC 3339; undefined for any other string, and for what no
 * calendar has. Leap seconds are taken at the end of a month in UTC.
 */
export function toInstant(text: string): Instant | undefined {
  // Most strings are no dates.
  if (text.length < SHORTEST || text.charCodeAt(4) !== DASH) return undefined
  const parts = RFC_3339.exec(text)
  if (!parts) return undefined
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map(Number)
  const offset =
    parts[8] === undefined ? 0 : Number(`${parts[8]}1`) * (Number(parts[9]) * 60 + Number(parts[10]))
  if (hour > 23 || minute > 59 || second > 60 || Number(parts[9] ?? 0) > 23 || Number(parts[10] ?? 0) > 59)
    return undefined
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined
  const isLeap = second === 60
  const seconds = date.getTime() / 1000 + hour * 3600 + (minute - offset) * 60 + (isLeap ? 59 : second)
  if (isLeap && !endsMonth(seconds)) return undefined
  const fraction = (parts[7] ?? '').replace(/0+$/, '')
  return new Instant(text, { seconds, rest: isLeap ? `:${fraction}` : fraction })
}

/** Whether a month ends with a second, in UTC. */
function endsMonth(seconds: number): boolean {
  const next = new Date((seconds + 1) * 1000)
  return next.getUTCDate() === 1 && (seconds + 1) % 86_400 === 0
}

/** Negative where the first is earlier, 0 for the same moment, however it is spelled. */
export function compareInstants(a: Instant, b: Instant): number {
  if (a.seconds !== b.seconds) return a.seconds - b.seconds
  return a.rest < b.rest ? -1 : a.rest > b.rest ? 1 : 0
}

/** A key that is equal for the same moments. */
export function instantKey({ seconds, rest }: Instant): string {
  return `${seconds}.${rest}`
}
