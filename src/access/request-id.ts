import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/**
 * Ids that are taken from a caller: long enough for UUIDs and trace ids of proxies, and safe in a header, a
 * log and a shell.
 */
const ACCEPTED = /^[A-Za-z0-9._:-]{1,128}$/

/** The id of a request: the caller's `X-Request-Id` where it is 1 to 128 safe characters, else a new UUID. */
export function requestIdOf({ headers }: { headers: IncomingHttpHeaders }): string {
  const sent = headers['x-request-id']
  return typeof sent === 'string' && ACCEPTED.test(sent) ? sent : randomUUID()
}
