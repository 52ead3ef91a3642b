import { host } from './host.js'
import type { Service, ServiceOptions } from './service.js'
import { StoppedEarly } from './exit-codes.js'
import { stopSignal } from './stop-signal.js'

/**
 * Runs a command's work against a service, until it ends or Ctrl-C stops it: then the exit code is the
 * shell's.
 */
export async function withStop(
  options: ServiceOptions,
  work: (service: Service, signal: AbortSignal) => Promise<void>
): Promise<void> {
  const { signal, exitCode, release } = stopSignal()
  let service: Service | undefined
  try {
    // With undici and all: help and completion are faster without.
    const { openService } = await import('./open-service.js')
    service = await openService(options, signal)
    await work(service, signal)
  } catch (error) {
    if (!signal.aborted) throw error
    host().stderr.write(error instanceof StoppedEarly ? `Stopped. ${error.soFar}\n` : 'Stopped.\n')
    host().exitCode = exitCode()
  } finally {
    release()
    await service?.close()
  }
}
