import { constants } from 'node:os'

/**
 * A signal that aborts at the first SIGINT or SIGTERM; a second one ends the process at once. `exitCode` is
 * then the shell's: 128 and the signal's number. `release` gives the signals back.
 */
export function stopSignal(): { signal: AbortSignal; exitCode: () => number; release: () => void } {
  const controller = new AbortController()
  let code = 0
  const stop = (name: NodeJS.Signals) => {
    release()
    code = 128 + constants.signals[name]
    controller.abort()
  }
  const release = () => void process.off('SIGINT', stop).off('SIGTERM', stop)
  process.on('SIGINT', stop).on('SIGTERM', stop)
  return { signal: controller.signal, exitCode: () => code, release }
}
