import { RecordInvalid } from '../../errors.js'

/** What a record or a change of one says of its end: seconds from now, or a time. */
interface SentExpiry {
  ttl_seconds?: number | null
  expires_at?: string | null
}

/**
 * A record or a change of one with its end as `expiresAt`, in milliseconds since 1970: undefined where
 * nothing is said of it, null where it is to have none. Throws RECORD_INVALID for both fields at once, what
 * is no time, and a time gone by.
 */
export function takeExpiry<Sent extends SentExpiry>({
  ttl_seconds: seconds,
  expires_at: time,
  ...rest
}: Sent): Omit<Sent, keyof SentExpiry> & { expiresAt?: EndOf<Sent> } {
  if (seconds !== undefined && time !== undefined)
    throw new RecordInvalid('Send either ttl_seconds or expires_at, not both.')
  const sent = seconds === undefined ? time : seconds
  if (sent === undefined) return rest
  return { ...rest, expiresAt: toTime(sent) as EndOf<Sent> }
}

type EndOf<Sent extends SentExpiry> = null extends Sent['expires_at'] ? number | null : number

function toTime(sent: number | string | null): number | null {
  if (sent === null) return null
  const now = Date.now()
  const time = typeof sent === 'number' ? now + sent * 1000 : parseTime(sent)
  if (time <= now) throw new RecordInvalid(`expires_at must be in the future; '${sent}' has passed.`)
  return time
}

const RFC3339 = /^(\d{4}-\d\d-\d\d)[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/

function parseTime(text: string): number {
  const [, date] = RFC3339.exec(text) ?? []
  const time = Date.parse(text.toUpperCase().replace(' ', 'T'))
  // Date takes the 30th of February for the 2nd of March.
  if (!date || Number.isNaN(time) || !new Date(`${date}T00:00:00Z`).toISOString().startsWith(date)) {
    throw new RecordInvalid(
      `expires_at must be an RFC 3339 time such as 2030-01-31T12:00:00Z, not '${text}'.`
    )
  }
  return time
}
