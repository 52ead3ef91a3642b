import { register, syncBuiltinESMExports } from 'node:module'
import workerThreads from 'node:worker_threads'

// For the tests, as --import=./scripts/run-typescript.js: threads have it from the test that starts them.

// The hooks have a thread of their own for each thread that has them, and what is built needs none. Its
// threads begin with a file of piscina: where they come from tells what they will run.
const BUILT = new URL('../dist/', import.meta.url).href
const FRAMES = 30
workerThreads.Worker = class extends workerThreads.Worker {
  constructor(file, options) {
    super(file, callers().some((caller) => caller.startsWith(BUILT)) ? { ...options, execArgv: [] } : options)
  }
}
syncBuiltinESMExports()

/** The files of the functions that called, as they were loaded: stacks name those that they were made of. */
function callers() {
  const { stackTraceLimit, prepareStackTrace } = Error
  Error.stackTraceLimit = FRAMES
  Error.prepareStackTrace = (_, sites) => sites.map((site) => site.getFileName() ?? '')
  const files = new Error().stack
  Object.assign(Error, { stackTraceLimit, prepareStackTrace })
  return files
}

register('./typescript-hooks.js', import.meta.url)
