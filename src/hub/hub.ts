import { EnvHttpProxyAgent, type Dispatcher } from 'undici'
import type { RetryPolicy } from './retry.js'

/** A hub to pull from, with all that its requests share. */
export interface Hub {
  /** Origin and path under which it lies, without a slash at the end. */
  endpoint: string
  token?: string
  dispatcher: Dispatcher
  /** How long a request may bring nothing, in milliseconds. */
  stallMs: number
  retry: Pick<RetryPolicy, 'tries' | 'baseMs'>
  signal: AbortSignal
  /** Called before a wait; `what` is the file or the answer that failed. */
  onRetry: (what: string, reason: string, delayMs: number) => void
}

export type HubOptions = Pick<Hub, 'endpoint' | 'signal'> & Partial<Hub>

/**
 * Opens a hub: `https://huggingface.co`, or a mirror of it. Requests go through the proxies that HTTP_PROXY,
 * HTTPS_PROXY and NO_PROXY name. Throws when the endpoint is not an http(s) address. Close it with
 * `closeHub`.
 */
export function openHub(options: HubOptions): Hub {
  const url = URL.canParse(options.endpoint) ? new URL(options.endpoint) : undefined
  if (!url || !/^https?:$/.test(url.protocol))
    throw new Error(`HF_ENDPOINT must be an http or https URL, not '${options.endpoint}'.`)
  // They would end up in the package's lock file and in messages.
  if (url.username || url.password)
    throw new Error(
      'HF_ENDPOINT must not contain a user name or password; use HF_TOKEN, which is sent as a bearer token.'
    )
  return {
    dispatcher: new EnvHttpProxyAgent(),
    stallMs: 60_000,
    retry: { tries: 6, baseMs: 500 },
    onRetry: () => {},
    ...options,
    endpoint: url.origin + url.pathname.replace(/\/+$/, '')
  }
}

/** Cuts its connections. */
export async function closeHub(hub: Hub): Promise<void> {
  await hub.dispatcher.destroy()
}

/** How requests for `what` are tried again. */
export function retryPolicy(hub: Hub, what: string): RetryPolicy {
  return {
    ...hub.retry,
    what,
    signal: hub.signal,
    onRetry: (reason, delayMs) => hub.onRetry(what, reason, delayMs)
  }
}
