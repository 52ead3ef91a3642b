// Other work on the same machine: processes that keep one core busy each, so that the service gets less of
// them.
import { spawn } from 'node:child_process'

/** Spins until it is ended, its time is over, or its parent has gone. */
const SPIN = `const parent = process.ppid
const until = Date.now() + Number(process.argv[1]) * 1000
while (Date.now() < until && process.ppid === parent) for (let i = 0; i < 1e7; i++);`

/** Starts `count` busy processes that end by themselves after `seconds`; `stop` ends them sooner. */
export function startBeside(count, seconds) {
  const children = Array.from({ length: count }, () => {
    const child = spawn(process.execPath, ['-e', SPIN, String(seconds)], { stdio: 'ignore' })
    return { child, ended: new Promise((resolve) => child.once('exit', resolve)) }
  })
  return {
    stop: async () => {
      for (const { child } of children) child.kill('SIGKILL')
      await Promise.all(children.map(({ ended }) => ended))
    }
  }
}
