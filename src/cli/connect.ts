import { Agent, fetch } from 'undici'
import { baseUrl } from '../client/base-url.js'
import { createClient } from '../client/client.js'
import { errorOf } from '../client/semblance-error.js'
import { UnreachableError, UsageError } from './exit-codes.js'
import type { Service } from './service.js'

/**
 * Calls that are answered by 429 or 503 are sent again so often: a load waits for a busy service, minutes if
 * need be.
 */
const RETRIES = 20

const UNREACHABLE = /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|EHOSTUNREACH|UND_ERR_CONNECT_TIMEOUT)$/

/** The service at an address. Throws a UsageError where the address or the key can't be one. */
export function connectTo({ url, apiKey }: { url: string; apiKey?: string }): Service {
  const address = addressOf(url)
  // A header takes no other, and what is thrown of one says what is in it.
  if (apiKey && !/^[\x21-\x7e]+$/.test(apiKey))
    throw new UsageError(
      'The API key contains invalid characters: a space, a line break, or non-ASCII characters.'
    )
  const base = baseUrl(address.origin + address.pathname)
  // A backup of millions of records may be made in silence for longer than any timeout.
  const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0 })
  // The runtime's own fetch takes no agent of another version of undici than its own.
  const dispatch = async (
    to: string,
    {
      method,
      headers,
      body,
      signal
    }: {
      method?: string
      headers?: Headers | Record<string, string>
      body?: ReadableStream<Uint8Array> | null
      signal?: AbortSignal
    }
  ): Promise<Response> => {
    try {
      const answer = await fetch(to, {
        method,
        headers: new Headers(headers) as never,
        body: body as never,
        signal,
        dispatcher,
        ...(body && { duplex: 'half' })
      })
      return answer as unknown as Response
    } catch (error) {
      throw signal?.aborted ? error : unreachable(error as Error, address.origin)
    }
  }
  return {
    url: base,
    api: createClient({
      url: base,
      apiKey,
      retries: RETRIES,
      reconnects: 0,
      fetch: ((request: Request) => dispatch(request.url, request)) as typeof globalThis.fetch
    }),
    send: async (path, { headers, ...init } = {}) => {
      const answer = await dispatch(base + path, {
        ...init,
        headers: { ...(apiKey && { authorization: `Bearer ${apiKey}` }), ...headers }
      })
      if (!answer.ok) throw await errorOf(answer)
      return answer
    },
    close: () => dispatcher.destroy()
  }
}

function addressOf(url: string): URL {
  const address = URL.canParse(url) ? new URL(url) : undefined
  if (!address || !/^https?:$/.test(address.protocol))
    throw new UsageError(`'${url}' is not an http or https URL.`)
  if (address.username !== '' || address.password !== '')
    throw new UsageError(
      'The URL contains a user name or a password, which are not sent; use --api-key or SEMBLANCE_API_KEY.'
    )
  if (address.search !== '' || address.hash !== '')
    throw new UsageError(`'${url}' contains a '?' or a '#'; use only the base URL of the service.`)
  return address
}

/** Why there was no answer: fetch says it in the cause. */
function unreachable(error: Error, origin: string): Error {
  const cause = (error.cause ?? error) as Error & { code?: string }
  if (UNREACHABLE.test(cause.code ?? ''))
    return new UnreachableError(
      `${origin} can't be reached (${cause.code}): check that the service is running there, or set ` +
        '--url to another address.',
      { cause: error }
    )
  return new UnreachableError(`The connection to ${origin} broke: ${cause.message || cause.code}`, {
    cause: error
  })
}
