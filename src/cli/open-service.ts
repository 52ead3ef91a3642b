import { connectTo } from './connect.js'
import { host } from './host.js'
import { startOwnService } from './own-service.js'
import { USUAL_URL, type Service, type ServiceOptions } from './service.js'

/** How long the usual address is waited for, in milliseconds: it is this machine's. */
const PROBE_MS = 2000

/**
 * The service that is named, else the one at the usual address, else one that is started for this command.
 * Says on standard error which it is, where none was named.
 */
export async function openService(
  { url, apiKey, quiet = false }: ServiceOptions,
  signal: AbortSignal
): Promise<Service> {
  if (url !== undefined) return connectTo({ url, apiKey })
  const say = (line: string) => void (quiet || host().stderr.write(`${line}\n`))
  if (await answersAt(USUAL_URL, signal)) {
    say(`Using the service at ${USUAL_URL}.`)
    return connectTo({ url: USUAL_URL, apiKey })
  }
  const own = await startOwnService(signal)
  say(`No service runs at ${USUAL_URL}; starting one over ${own.dataDir} for this command.`)
  const service = connectTo(own)
  return {
    ...service,
    close: async () => {
      await service.close()
      await own.end()
    }
  }
}

/** Whether a Semblance answers at an address; another program there is none. */
async function answersAt(url: string, signal: AbortSignal): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/health/live`, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(PROBE_MS)])
    })
    const body = (await answer.json()) as { status?: unknown; failed?: unknown }
    return typeof body.status === 'string' && Array.isArray(body.failed)
  } catch {
    signal.throwIfAborted()
    return false
  }
}
