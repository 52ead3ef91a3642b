// A thread that asks for /health/live again and again on a connection of its own, beside what the run sends.
import { Agent, get } from 'node:http'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

const EVERY_MS = 40
const TICK_MS = 5

/**
 * Starts the probe; `stop` resolves to its figures in milliseconds. `late` says how late its own timers were
 * at the worst answer.
 */
export function startHealthProbe(url) {
  const worker = new Worker(new URL(import.meta.url), { workerData: { url } })
  const result = new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  return {
    stop: async () => {
      worker.postMessage('stop')
      return result
    }
  }
}

if (!isMainThread) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const answers = []
  let isStopped = false
  // A machine that is busy delays this thread as it does the service.
  let late = 0
  let dueAt = performance.now() + TICK_MS
  setInterval(() => {
    late = Math.max(late, performance.now() - dueAt)
    dueAt = performance.now() + TICK_MS
  }, TICK_MS)
  const ask = () => {
    const startedAt = performance.now()
    late = 0
    const done = (isWell) => {
      answers.push({ isWell, ms: performance.now() - startedAt, late })
      if (!isStopped) setTimeout(ask, EVERY_MS)
    }
    get(`${workerData.url}/health/live`, { agent }, (response) =>
      response.resume().once('end', () => done(response.statusCode === 200))
    ).once('error', () => done(false))
  }
  parentPort.once('message', () => {
    isStopped = true
    const sorted = answers.toSorted((a, b) => a.ms - b.ms)
    const { ms: worst, late: lateAtWorst } = sorted.at(-1)
    parentPort.postMessage({
      answers: answers.length,
      failed: answers.filter(({ isWell }) => !isWell).length,
      p99: sorted[Math.floor(sorted.length * 0.99)].ms,
      worst,
      late: lateAtWorst,
      over250: answers.filter(({ ms }) => ms > 250).length,
      over250Alone: answers.filter(({ ms, late: own }) => ms - own > 250).length
    })
    process.exit()
  })
  ask()
}
