import { inspect } from 'node:util'

type SystemError = NodeJS.ErrnoException & { address?: string; port?: number }

/** What the system says by code of an address that can't be listened at, in words. */
const LISTENING: Record<string, (where: string) => string> = {
  EADDRINUSE: (where) =>
    `${where} is in use by another program. Set PORT to another port, or stop that program.`,
  EACCES: (where) => `This user may not listen on ${where}. Set PORT to 1024 or higher.`,
  EADDRNOTAVAIL: (where) =>
    `${where} is not an address of this machine. Set HOST to one of its addresses, or to 0.0.0.0.`,
  ENOTFOUND: (where) => `The name of ${where} can't be resolved. Set HOST to an address of this machine.`
}

/** One line for whatever kept the service from starting, an error or not. */
export function startFailure(error: unknown): string {
  if (error instanceof AggregateError)
    return [error.message, ...error.errors.map(startFailure)].filter(Boolean).join(' ')
  if (!isError(error))
    return `it ended with ${inspect(error)} and no further details; start it with LOG_LEVEL=debug.`
  const { code = '', address, port, syscall = '', hostname } = error as SystemError & { hostname?: string }
  const where = port === undefined ? (hostname ?? address ?? 'HOST') : `${address ?? hostname ?? ''}:${port}`
  const listening = syscall === 'listen' || syscall === 'getaddrinfo' ? LISTENING[code] : undefined
  return listening
    ? listening(where)
    : error.message ||
        `${error.name}${code && ` (${code})`}, without a ` +
          `message${error.stack ? `: ${error.stack.split('\n')[1]?.trim() ?? ''}` : ''}`
}

/** Errors of other threads and realms are no instances of this one's. */
function isError(error: unknown): error is Error {
  return (
    error instanceof Error ||
    (typeof error === 'object' && error !== null && typeof (error as Error).message === 'string')
  )
}
