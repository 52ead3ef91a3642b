/**
 * Wait before the second try where the service does not say how long, in milliseconds: doubled each time, and
 * a random half of it left out, so that many clients do not come back at once.
 */
const FIRST_WAIT_MS = 500
/**
 * All waits of one call together, in milliseconds. A longer Retry-After is not waited for: the caller gets
 * the answer.
 */
export const LONGEST_WAIT_MS = 60_000

/** Answers of a service that is full, or about to be there again. */
export const WORTH_ANOTHER_TRY = new Set([429, 503])

/** Calls by POST that change nothing, or the same thing again. */
const REPEATABLE_POST = /\/(search(\/[a-z-]+)?|zero-shot|embeddings|similarity|records\/delete)$/

export type Send = (request: Request) => Promise<Response>

export interface RetryRules {
  /** How often a call is sent again. */
  retries: number
  /** How often of these a call whose connection was lost, or could not be made; as often by default. */
  reconnects?: number
  /** Which calls may be done twice. */
  isRepeatable?: (request: Request) => boolean
}

/**
 * A fetch that sends a request again: after 429 and 503, of which the service did nothing, and after a lost
 * connection if the same may be done twice. Never after an abort. 503 WORKER_DIED leaves open what was done,
 * as a lost connection does. A DELETE that is sent again answers 404 where the first one was done.
 */
export function retrying(
  send: Send,
  { retries, reconnects = retries, isRepeatable = mayBeDoneTwice }: RetryRules
): Send {
  return async (request) => {
    const end = Date.now() + LONGEST_WAIT_MS
    for (let tries = 0; ; tries++) {
      const isLast = tries >= retries
      const isTooLate = (wait: number) => Date.now() + wait > end
      const response = await send(isLast ? request : request.clone()).catch((error: unknown) => {
        if (
          isLast ||
          tries >= reconnects ||
          request.signal.aborted ||
          !isRepeatable(request) ||
          isTooLate(waitAfter(undefined, tries))
        )
          throw error
        return undefined
      })
      if (response && (isLast || !WORTH_ANOTHER_TRY.has(response.status))) return response
      const pause = waitAfter(response, tries)
      if (response && (isTooLate(pause) || (!isRepeatable(request) && (await isLeftOpen(response)))))
        return response
      await response?.body?.cancel()
      await wait(pause, request.signal)
    }
  }
}

function mayBeDoneTwice({ method, url }: Request): boolean {
  return (
    ['GET', 'HEAD', 'PUT', 'DELETE'].includes(method) ||
    (method === 'POST' && REPEATABLE_POST.test(new URL(url).pathname))
  )
}

async function isLeftOpen(response: Response): Promise<boolean> {
  return response.status === 503 && (await response.clone().text()).includes('"WORKER_DIED"')
}

/** Milliseconds to wait before the next try: what Retry-After says, else longer each time. */
export function waitAfter(response: Response | undefined, tries: number): number {
  const seconds = response && retryAfterOf(response.headers)
  return seconds === undefined ? FIRST_WAIT_MS * 2 ** tries * (0.5 + Math.random() / 2) : seconds * 1000
}

/**
 * The seconds of a Retry-After, which may also be a date (RFC 9110, section 10.2.3); undefined without one.
 */
export function retryAfterOf(headers: Headers): number | undefined {
  const value = headers.get('retry-after')
  if (value === null) return undefined
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds)
}

/** Resolves after a time; rejects with the signal's reason once that aborts. */
export async function wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted()
  await new Promise<void>((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, milliseconds)
    signal?.addEventListener('abort', stop, { once: true })
  })
}
