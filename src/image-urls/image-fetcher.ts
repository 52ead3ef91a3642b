import { setMaxListeners } from 'node:events'
import type { Dispatcher } from 'undici'
import type { Lane } from '../threading/call-options.js'
import { IMAGE_TYPES, sniffImage } from '../encoder/sniff-image.js'
import { ImageUrlFailed, ImageUrlRefused, isPublicError, QueueFull } from '../errors.js'
import { failureOf } from './failure.js'
import { guardedAgent } from './guarded-agent.js'
import { hostRules, type HostLists } from './host-rules.js'
import { createLookUp } from './look-up.js'
import { receive, type ByteBudget } from './receive.js'
import { createSlots } from './slots.js'

export interface ImageFetcherOptions {
  hosts: HostLists
  /** Name servers, as ADDRESS or ADDRESS:PORT; the system's where there are none. */
  nameServers: string[]
  /** Largest image file. */
  maxBytes: number
  /** For an image, its redirects included, from when its turn has come; in milliseconds. */
  timeoutMs: number
  /** Redirects that are followed. */
  redirects: number
  /** Requests under way at a time. */
  concurrency: { overall: number; perHost: number }
  /** Images that wait for their turn at which a request gets QUEUE_FULL. */
  maxWaiting: number
  /** What the hosts are told of who asks. */
  userAgent: string
}

export interface FetchOptions {
  lane: Lane
  signal: AbortSignal
  budget: ByteBudget
}

/** Fetches images by url, from where a caller may send it. */
export interface ImageFetcher {
  /**
   * The bytes of an image. Throws IMAGE_URL_REFUSED for what is not asked, IMAGE_URL_FAILED, IMAGE_TOO_LARGE,
   * IMAGE_UNSUPPORTED, IMAGE_INVALID, or the signal's reason.
   */
  fetch(url: string, options: FetchOptions): Promise<Uint8Array>
  /** Throws QUEUE_FULL where too many images wait already. */
  requireRoom(): void
  close(): Promise<void>
}

const REDIRECTS = new Set([301, 302, 303, 307, 308])

/** Longer ones are no addresses of images. */
const MAX_URL_LENGTH = 8192

type Hop = { location: string } | { bytes: Uint8Array }

/** Makes a fetcher. Throws an Error for lists that name no hosts. */
export function createImageFetcher({
  hosts,
  nameServers,
  concurrency,
  ...options
}: ImageFetcherOptions): ImageFetcher {
  const rules = hostRules(hosts)
  const { timeoutMs } = options
  const agent = guardedAgent({
    rules,
    lookUp: createLookUp(nameServers),
    connections: concurrency.perHost,
    timeoutMs
  })
  const slots = createSlots(concurrency)
  const headers = {
    accept: IMAGE_TYPES.join(', '),
    'accept-encoding': 'identity',
    'user-agent': options.userAgent
  }
  return {
    fetch: async (text, { lane, signal, budget }) => {
      if (text.length > MAX_URL_LENGTH)
        throw new ImageUrlRefused(`it is longer than ${MAX_URL_LENGTH} characters`)
      setMaxListeners(0, signal)
      let url = rules.check(text)
      // What is spent of the time; waiting for a turn is not.
      let spentMs = 0
      const visit = (): Promise<Hop> => {
        const startedAt = performance.now()
        const limits = { maxBytes: options.maxBytes, budget }
        return inTime({ signal, ms: timeoutMs - spentMs, timeoutMs }, (inner) =>
          ask(agent, url, { headers, signal: inner, limits })
        ).finally(() => (spentMs += performance.now() - startedAt))
      }
      for (let hop = 0; hop <= options.redirects; hop++) {
        const found = await slots.run({ host: url.hostname, lane, signal }, visit)
        if ('location' in found) {
          url = rules.check(found.location, url)
          continue
        }
        await sniffImage(found.bytes)
        return found.bytes
      }
      throw new ImageUrlFailed(`it redirects more than ${options.redirects} times`)
    },
    requireRoom: () => {
      if (slots.waiting >= options.maxWaiting) throw new QueueFull()
    },
    close: () => agent.destroy()
  }
}

/** One request: where it is redirected to, or what it brought. */
async function ask(
  agent: Dispatcher,
  url: URL,
  {
    headers,
    signal,
    limits
  }: { headers: Record<string, string>; signal: AbortSignal; limits: Parameters<typeof receive>[1] }
): Promise<Hop> {
  const answer = await agent
    .request({ origin: url.origin, path: url.pathname + url.search, method: 'GET', headers, signal })
    .catch((error) => {
      throw failureOf(error)
    })
  const {
    statusCode,
    headers: { location },
    body
  } = answer
  // What is left unread, or stops half-way, ends the connection. Its error has been told by then.
  body.on('error', () => {})
  try {
    if (REDIRECTS.has(statusCode) && typeof location === 'string') return { location }
    if (statusCode !== 200) throw new ImageUrlFailed(`its host answered ${statusCode}`)
    return { bytes: await receive(answer, limits) }
  } catch (error) {
    throw failureOf(error)
  } finally {
    body.destroy()
  }
}

/** Runs work with a signal that aborts with the given one, or when the time is over. */
async function inTime<T>(
  { signal, ms, timeoutMs }: { signal: AbortSignal; ms: number; timeoutMs: number },
  work: (signal: AbortSignal) => Promise<T>
): Promise<T> {
  const controller = new AbortController()
  const onAbort = () => controller.abort(signal.reason)
  const timer = setTimeout(
    () => controller.abort(new ImageUrlFailed(`it took longer than ${timeoutMs} ms`)),
    Math.max(0, ms)
  )
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    signal.throwIfAborted()
    return await work(controller.signal)
  } catch (error) {
    // Whatever broke by it, that was the reason.
    throw controller.signal.aborted ? controller.signal.reason : error
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}

/** What became of an image, for the metrics. */
export type FetchOutcome = 'fetched' | 'refused' | 'failed' | 'unusable' | 'abandoned'

/** The outcome that an error stands for. */
export function outcomeOf(error: unknown): FetchOutcome {
  const code = isPublicError(error) ? error.code : ''
  if (code === 'IMAGE_URL_REFUSED') return 'refused'
  if (code === 'CLIENT_GONE') return 'abandoned'
  return ['IMAGE_TOO_LARGE', 'IMAGE_UNSUPPORTED', 'IMAGE_INVALID'].includes(code) ? 'unusable' : 'failed'
}
