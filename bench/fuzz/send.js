import { request as httpRequest } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/** No answer after so long is a fault. */
const ANSWER_TIMEOUT_MS = 60_000
/** Streams of events end with what they follow; so much of one is enough. */
const EVENTS_MS = 2000
const PIECES = 12

/**
 * Sends a request as it says, and resolves to `{ status, headers, text, ms }`, to `{ error }` where no answer
 * came, or to undefined where none was waited for.
 */
export async function send({ agent, url }, request) {
  const answer = await attempt({ agent, url }, request)
  // The service may close a connection that was idle just as it is used again.
  return answer?.error?.wasReused ? attempt({ agent: false, url }, request) : answer
}

function attempt({ agent, url }, { method, path, headers, bytes, way }) {
  const { hostname, port } = new URL(url)
  return new Promise((resolve) => {
    const startedAt = performance.now()
    const isSized = bytes ? way !== 'chunked' && way !== 'trickled' : method.startsWith('P')
    const length = isSized ? [['content-length', String(bytes?.length ?? 0)]] : []
    const host = headers.some(([name]) => name === 'host') ? [] : [['host', `${hostname}:${port}`]]
    const framing = bytes && length.length === 0 ? [['transfer-encoding', 'chunked']] : length
    const outgoing = httpRequest(
      {
        hostname,
        port,
        agent,
        method,
        path,
        headers: [...host, ...headers, ...framing],
        joinDuplicateHeaders: true
      },
      (response) => {
        const chunks = []
        const isEvents = response.headers['content-type'] === 'text/event-stream'
        const finish = () =>
          resolve({
            status: response.statusCode,
            headers: response.headers,
            text: Buffer.concat(chunks).toString('utf8'),
            ms: performance.now() - startedAt
          })
        if (isEvents) setTimeout(() => (finish(), outgoing.destroy()), EVENTS_MS).unref()
        response.on('data', (chunk) => chunks.push(chunk))
        response.once('end', finish)
        response.once('error', (error) => resolve({ error }))
      }
    )
    outgoing.setTimeout(ANSWER_TIMEOUT_MS, () =>
      outgoing.destroy(new Error(`no answer within ${ANSWER_TIMEOUT_MS / 1000} s`))
    )
    outgoing.on('error', (error) =>
      resolve({
        error: Object.assign(error, { wasReused: outgoing.reusedSocket && error.code === 'ECONNRESET' })
      })
    )
    if (way === 'cut' || way === 'gone')
      resolve(abandon(outgoing, way === 'cut' ? bytes.subarray(0, bytes.length >> 1) : bytes))
    else if (way === 'trickled') void trickle(outgoing, bytes)
    else outgoing.end(bytes)
  })
}

/** Writes what there is of a body and goes away. */
async function abandon(outgoing, bytes) {
  if (bytes) outgoing.write(bytes)
  else outgoing.end()
  await sleep(5)
  outgoing.destroy()
}

async function trickle(outgoing, bytes) {
  const size = Math.ceil(bytes.length / PIECES) || 1
  for (let at = 0; at < bytes.length && !outgoing.destroyed; at += size) {
    outgoing.write(bytes.subarray(at, at + size))
    await sleep(20)
  }
  if (!outgoing.destroyed) outgoing.end()
}

/** The request as a curl command; a body that is long or not text is in a file that `keep` writes. */
export function asCurl(url, { method, path, headers, bytes }, keep) {
  const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`
  const isShort =
    bytes && bytes.length < 1500 && Buffer.from(bytes.toString('utf8')).equals(bytes) && !bytes.includes(0)
  const data = bytes ? [`--data-binary ${isShort ? quoted(bytes.toString('utf8')) : `@${keep(bytes)}`}`] : []
  return [
    'curl --path-as-is',
    `-X ${method}`,
    ...headers.map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`),
    ...data,
    quoted(url + path)
  ].join(' ')
}
