// Load for the benches: callers over HTTP, and percentiles of what they saw.
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'undici'

const headers = { 'content-type': 'application/json' }

/**
 * Calls over a number of connections, each as soon as its last was answered, for some seconds. Resolves to
 * the rate a second (answers over the time until the last one) and the latencies in milliseconds. Throws when
 * one is not a 200.
 */
export async function closedLoop(url, { path, bodies, connections, seconds }) {
  const pool = new Pool(url, { connections, pipelining: 1 })
  const latencies = []
  let sent = 0
  const startedAt = performance.now()
  const until = startedAt + seconds * 1000
  const caller = async () => {
    while (performance.now() < until) latencies.push(await call(pool, path, bodies[sent++ % bodies.length]))
  }
  await Promise.all(Array.from({ length: connections }, caller))
  const elapsed = (performance.now() - startedAt) / 1000
  await pool.close()
  return { rate: latencies.length / elapsed, latencies }
}

/**
 * Makes each call once over one connection, after the last was answered; resolves to the latencies in
 * milliseconds.
 */
export async function callTimes(url, { path, bodies }) {
  const pool = new Pool(url, { connections: 1, pipelining: 1 })
  const latencies = []
  for (const body of bodies) latencies.push(await call(pool, path, body))
  await pool.close()
  return latencies
}

/**
 * Calls at a steady rate, whether the last was answered or not, until told to stop; resolves to the
 * latencies.
 */
export async function openLoop(url, { path, bodies, perSecond, signal }) {
  const pool = new Pool(url, { connections: 64, pipelining: 1 })
  const calls = []
  const startedAt = performance.now()
  for (let n = 0; !signal.aborted; n++) {
    await sleep(Math.max(0, startedAt + (n * 1000) / perSecond - performance.now()))
    calls.push(call(pool, path, bodies[n % bodies.length]))
  }
  const latencies = await Promise.all(calls)
  await pool.close()
  return latencies
}

async function call(pool, path, body) {
  const startedAt = performance.now()
  const { statusCode, body: answer } = await pool.request({
    path,
    method: body === undefined ? 'GET' : 'POST',
    headers: body === undefined ? {} : headers,
    body
  })
  const text = await answer.text()
  if (statusCode !== 200) throw new Error(`${path} answered ${statusCode}: ${text}`)
  return performance.now() - startedAt
}

/** The value under which a part `p` of the list lies. */
export function percentile(list, p) {
  const sorted = Float64Array.from(list).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))]
}

export const median = (list) => percentile(list, 0.5)
