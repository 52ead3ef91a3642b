import { AsyncLocalStorage } from 'node:async_hooks'

/** Streams, environment and exit code of a command. */
export type Host = Pick<NodeJS.Process, 'stdin' | 'stdout' | 'stderr' | 'env' | 'exitCode'>

const hosts = new AsyncLocalStorage<Host>()

/** The host of the command that runs: the process, unless `runWithHost` gave it another. */
export function host(): Host {
  return hosts.getStore() ?? process
}

/** Runs a command with a host of its own, as tests do. */
export function runWithHost<T>(own: Host, run: () => T): T {
  return hosts.run(own, run)
}
