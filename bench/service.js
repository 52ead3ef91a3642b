// Starts and stops the built service (npm run build) for the benches, on a data folder of its own.
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const entry = fileURLToPath(new URL('../dist/cli/serve.js', import.meta.url))

/** A new data folder; its caller removes it. */
export const newFolder = () => mkdtemp(join(tmpdir(), 'semblance-bench-'))

/**
 * Starts the service without the demo; resolves when it is ready. `listening` and `ready` are seconds since
 * the start. A `dataDir` that is given outlives `stop`.
 */
export async function startService(env = {}, { dataDir } = {}) {
  const folder = dataDir ?? (await newFolder())
  const startedAt = performance.now()
  const seconds = () => (performance.now() - startedAt) / 1000
  const child = spawn(process.execPath, [entry], {
    env: { ...process.env, PORT: '0', DATA_DIR: folder, DEMO: 'false', LOG_LEVEL: 'info', ...env },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  let output = ''
  let url
  child.stdout.on('data', (chunk) => {
    // Of a long run the head is kept, and what went wrong.
    if (output.length < 100_000 || /"level":[56]0/.test(chunk)) output += chunk
    url ??= /listening at (http:\/\/[^"\s]+)/.exec(output)?.[1]
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  while (!url) {
    if (child.exitCode !== null) throw new Error(`The service ended: ${output}`)
    await sleep(5)
  }
  const listening = seconds()
  while ((await fetch(`${url}/health/ready`)).status !== 200) await sleep(10)
  return {
    url,
    pid: child.pid,
    listening,
    ready: seconds(),
    /** What it has logged so far. */
    log: () => output,
    /** Resident memory in MiB, and its highest so far. */
    memory: async () => {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8')
      const of = (name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)[1]) / 1024
      return { resident: of('VmRSS'), peak: of('VmHWM') }
    },
    /** Processor time spent so far, in seconds. */
    cpu: async () => {
      const fields = (await readFile(`/proc/${child.pid}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ')
      return (Number(fields[11]) + Number(fields[12])) / 100
    },
    /** Ends it by SIGKILL; its folder stays. */
    kill: async () => {
      child.kill('SIGKILL')
      await ended
    },
    /** Ends it by SIGTERM; resolves to the seconds that took. */
    stop: async () => {
      const from = performance.now()
      child.kill('SIGTERM')
      await ended
      if (!dataDir) await rm(folder, { recursive: true })
      return (performance.now() - from) / 1000
    }
  }
}
