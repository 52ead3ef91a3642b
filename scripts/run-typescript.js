import { register, syncBuiltinESMExports } from 'node:module'
import { fileURLToPath } from 'node:url'
import workerThreads from 'node:worker_threads'

// For the tests, as NODE_OPTIONS=--import=./scripts/run-typescript.js. tap's own way loads the compiler into
// every thread of every test, which takes far longer than what most of them do; this tells it that another
// one sees to TypeScript.
process.env.TAP_TYPE_STRIP_ONLY = '1'
// Threads have it from the test that starts them. What a test starts as a process of its own is JavaScript,
// and may run in any folder.
if (process.argv[1]?.endsWith('.ts') && process.env.NODE_OPTIONS) {
  const options = process.env.NODE_OPTIONS.replace(/"?--import=\.\/scripts\/run-typescript\.js"?/, '').trim()
  if (options) process.env.NODE_OPTIONS = options
  else delete process.env.NODE_OPTIONS
}

// The hooks have a thread of their own for each thread that has them, and what is built needs none.
const BUILT = fileURLToPath(new URL('../dist/', import.meta.url))
workerThreads.Worker = class extends workerThreads.Worker {
  constructor(file, options) {
    const isBuilt = String(file instanceof URL ? fileURLToPath(file) : file).startsWith(BUILT)
    super(file, isBuilt ? { ...options, execArgv: [] } : options)
  }
}
syncBuiltinESMExports()

register('./typescript-hooks.js', import.meta.url)
