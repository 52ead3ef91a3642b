import type { Dispatcher } from 'undici'
import type { Hub } from './hub.js'
import type { RepoRevision } from './repo-name.js'
import { TransientError } from './transient-error.js'

type Headers = Dispatcher.ResponseData['headers']

/**
 * What an answer means that is neither 2xx nor a redirect: a TransientError for 408, 429 and 5xx, else an
 * Error that says what to do. Drops the body.
 */
export async function statusError(
  { endpoint, token }: Hub,
  { answer, repo, revision }: RepoRevision & { answer: Dispatcher.ResponseData }
): Promise<Error> {
  await answer.body.dump()
  const { statusCode: status, headers } = answer
  const host = new URL(endpoint).host
  if (status === 429) {
    const retryAfterMs = waitAsked(headers)
    return new TransientError(
      `${host} limits the request rate (429): wait, or set HF_TOKEN, whose limit is higher`,
      { ...(retryAfterMs !== undefined && { retryAfterMs }) }
    )
  }
  if (status === 408 || status >= 500) return new TransientError(`${host} answered ${status}`)
  if (status === 401 && token)
    return new Error(
      `${host} rejects the HF_TOKEN for ${repo} (401): check that it is valid and may read this repository.`
    )
  // The hub does not tell strangers whether a repository is private or not there.
  if (status === 401)
    return new Error(
      `${repo} is private, gated or does not exist (401): check the name, or set HF_TOKEN to a token ` +
        'that may read it.'
    )
  if (status === 403)
    return new Error(
      `Access to ${repo} is denied (403): accept its terms at ${endpoint}/${repo} and set HF_TOKEN to ` +
        'a token of that account.'
    )
  if (status === 404 && headers['x-error-code'] === 'RevisionNotFound')
    return new Error(`${repo} has no revision '${revision}' (404): use a branch, a tag or a commit.`)
  if (status === 404)
    return new Error(
      `${host} has no repository ${repo}, or it has no revision '${revision}' (404): check both.`
    )
  return new Error(`${host} answered ${status} for ${repo}.`)
}

/**
 * Milliseconds to wait by `Retry-After` (seconds or a date), or by the hub's own `RateLimit: "api";r=0;t=55`.
 */
export function waitAsked(headers: Headers): number | undefined {
  const after = String(headers['retry-after'] ?? '')
  if (/^\d+$/.test(after)) return Number(after) * 1000
  const date = Date.parse(after)
  if (!Number.isNaN(date)) return Math.max(0, date - Date.now())
  const seconds = /;\s*t=(\d+)/.exec(String(headers.ratelimit ?? ''))?.[1]
  return seconds === undefined ? undefined : Number(seconds) * 1000
}
