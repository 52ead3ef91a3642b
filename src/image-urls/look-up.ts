import { Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import { ImageUrlFailed } from '../errors.js'

export interface Address {
  address: string
  family: 4 | 6
}

/**
 * Resolves to the addresses of a host, none if it has none. Throws IMAGE_URL_FAILED when no name server
 * answers.
 */
export type LookUp = (host: string) => Promise<Address[]>

/** How long a name server may take, and how often it is asked. */
const NAME_SERVER = { timeout: 2000, tries: 2 }

/** What says that a name has no address of a family, and not that no one could tell. */
const NONE = new Set(['ENOTFOUND', 'ENODATA'])

/**
 * Looks hosts up at name servers, the system's where none are given. Not by getaddrinfo: that would hold
 * threads which files and images need for as long as a caller's name server likes to take. Throws an Error
 * for what is no server.
 */
export function createLookUp(servers: string[]): LookUp {
  const resolver = new Resolver(NAME_SERVER)
  try {
    if (servers.length > 0) resolver.setServers(servers.map((server) => server.trim()))
  } catch (error) {
    throw new Error(
      `IMAGE_URL_NAME_SERVERS must be addresses, with or without :port: ${(error as Error).message}.`,
      { cause: error }
    )
  }
  return async (host) => {
    const family = isIP(host)
    if (family) return [{ address: host, family: family as 4 | 6 }]
    // No name server is to be asked for these (RFC 6761).
    if (host === 'localhost' || host.endsWith('.localhost')) return [{ address: '127.0.0.1', family: 4 }]
    const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
    const found = answers.flatMap((answer, i) =>
      answer.status === 'fulfilled'
        ? answer.value.map((address): Address => ({ address, family: i === 0 ? 4 : 6 }))
        : []
    )
    const isUnknown = answers.some(
      (answer) =>
        answer.status === 'rejected' && !NONE.has((answer.reason as NodeJS.ErrnoException).code ?? '')
    )
    if (found.length === 0 && isUnknown) throw new ImageUrlFailed('its host could not be looked up')
    return found
  }
}
