import { wait, waitAfter } from '../../src/client/retry.js'

/**
 * Pictures that are fetched at a time: a browser opens six connections to a host over HTTP/1.1, and searches
 * want one, too.
 */
const AT_A_TIME = 4
/** How often one is asked for while the service is too busy. */
const TRIES = 5
/** Longest wait before the next try, in milliseconds: a minute's requests are counted again after it. */
const LONGEST_WAIT_MS = 61_000

let underWay = 0
const waiting = new Set<() => void>()

/**
 * A picture's bytes, fetched with the key where there is one. After 429 and 503 it is asked for again; throws
 * where that or another status stays.
 */
export async function fetchPicture(
  address: string,
  { key, signal }: { key: string; signal: AbortSignal }
): Promise<Blob> {
  await turn(signal)
  try {
    // The wait is within the turn: others would be refused as well.
    for (let tries = 1; ; tries++) {
      const answer = await fetch(address, {
        signal,
        ...(key !== '' && { headers: { authorization: `Bearer ${key}` } })
      })
      if (answer.ok) return await answer.blob()
      const pause = waitAfter(answer, tries)
      if (![429, 503].includes(answer.status) || tries === TRIES || pause > LONGEST_WAIT_MS)
        throw new Error(`The picture can't be fetched: ${answer.status}`)
      await answer.body?.cancel()
      await wait(pause, signal)
    }
  } finally {
    underWay -= 1
    const [next] = waiting
    next?.()
  }
}

/** Resolves once it may be fetched, and counts it; rejects after an abort. */
async function turn(signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  if (underWay < AT_A_TIME) {
    underWay += 1
    return
  }
  await new Promise<void>((resolve, reject) => {
    const go = () => {
      waiting.delete(go)
      signal.removeEventListener('abort', stop)
      underWay += 1
      resolve()
    }
    const stop = () => {
      waiting.delete(go)
      reject(signal.reason as Error)
    }
    waiting.add(go)
    signal.addEventListener('abort', stop, { once: true })
  })
}
