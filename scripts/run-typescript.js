import { register, syncBuiltinESMExports } from 'node:module'
import { fileURLToPath } from 'node:url'
import workerThreads from 'node:worker_threads'

// For the tests, as --import=./scripts/run-typescript.js: threads have it from the test that starts them.

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
