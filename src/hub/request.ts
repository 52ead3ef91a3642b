import { request, type Dispatcher } from 'undici'
import type { Hub } from './hub.js'
import { networkError } from './network-error.js'
import { statusError } from './status-error.js'
import type { RepoRevision } from './repo-name.js'

const REDIRECTS = new Set([301, 302, 303, 307, 308])
const MOST_REDIRECTS = 8

export interface HubRequest extends RepoRevision {
  url: string
  headers?: Record<string, string>
  /** Statuses that are answers, not errors. */
  accept?: number[]
}

/**
 * Asks the hub for an address and follows redirects; the token goes to the hub's own origin only. Resolves to
 * an answer with a status of 2xx or an accepted one, whose body the caller reads. Throws a TransientError for
 * what may pass, else an Error that says what to do.
 */
export async function getFromHub(
  hub: Hub,
  { url, headers, accept = [], ...asked }: HubRequest
): Promise<Dispatcher.ResponseData> {
  let address = new URL(url)
  let trusted = true
  for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
    // Once elsewhere, whoever sent us back is not to be trusted either.
    trusted &&= address.origin === new URL(hub.endpoint).origin
    const answer = await send(hub, address, {
      ...headers,
      ...(trusted && hub.token && { authorization: `Bearer ${hub.token}` })
    })
    const {
      statusCode,
      headers: { location }
    } = answer
    if ((statusCode >= 200 && statusCode < 300) || accept.includes(statusCode)) return answer
    if (!REDIRECTS.has(statusCode) || typeof location !== 'string')
      throw await statusError(hub, { answer, ...asked })
    await answer.body.dump()
    address = redirected(location, address)
  }
  throw new Error(`${new URL(url).host} redirects in a loop.`)
}

async function send(
  hub: Hub,
  address: URL,
  headers: Record<string, string>
): Promise<Dispatcher.ResponseData> {
  try {
    return await request(address, {
      // A compressed body has other bytes than those that were listed.
      headers: { 'user-agent': 'semblance', 'accept-encoding': 'identity', ...headers },
      dispatcher: hub.dispatcher,
      signal: hub.signal,
      headersTimeout: hub.stallMs,
      bodyTimeout: hub.stallMs
    })
  } catch (error) {
    throw networkError(error, address)
  }
}

function redirected(location: string, from: URL): URL {
  const address = URL.canParse(location, from.href) ? new URL(location, from) : undefined
  if (!address || !/^https?:$/.test(address.protocol))
    throw new Error(`${from.host} redirects to a URL that is not http or https.`)
  return address
}
