import type { LookupFunction } from 'node:net'
import { Agent, buildConnector } from 'undici'
import { ImageUrlRefused } from '../errors.js'
import type { HostRules } from './host-rules.js'
import type { Address, LookUp } from './look-up.js'
import { reachOf } from './reach.js'

export interface GuardedAgentOptions {
  rules: HostRules
  lookUp: LookUp
  /** Connections to one origin, at most. */
  connections: number
  /** For a connection to come about, for headers, and between pieces of a body, in milliseconds. */
  timeoutMs: number
}

/** The most that the headers of an answer may take. */
const MAX_HEADER_BYTES = 16 << 10

/**
 * An idle connection is kept for so long, whatever the server proposes: a change of its address is seen after
 * it.
 */
const IDLE_MS = 4000

/**
 * A client of HTTP/1.1 that connects to allowed addresses only. A host is looked up once for each connection,
 * all of its addresses must pass, and the connection is made to those: there is no second look-up that could
 * say otherwise. It knows no proxy, whatever the environment says, since a proxy would look the host up by
 * itself.
 */
export function guardedAgent({ rules, lookUp, connections, timeoutMs }: GuardedAgentOptions): Agent {
  const connect: buildConnector.connector = (options, callback) => {
    const isAllowed = allowance(options, rules)
    void allowedAddresses(options.hostname, { lookUp, isAllowed }).then(
      (addresses) => {
        const connector = buildConnector({
          timeout: timeoutMs,
          lookup: pinned(addresses),
          autoSelectFamily: true,
          allowH2: false,
          maxCachedSessions: 0
        })
        connector(options, (...[error, socket]) => {
          if (error) return callback(error, null)
          // Last line: what the connection leads to in fact.
          if (isAllowed(socket!.remoteAddress ?? '0.0.0.0')) return callback(null, socket!)
          socket!.destroy()
          callback(noAddress(), null)
        })
      },
      (error: Error) => callback(error, null)
    )
  }
  return new Agent({
    connect,
    connections,
    pipelining: 1,
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    keepAliveTimeout: IDLE_MS,
    keepAliveMaxTimeout: IDLE_MS,
    allowH2: false
  })
}

/** Whether an address is allowed for the host and port of a connection. */
function allowance(
  { hostname, port, protocol }: buildConnector.Options,
  rules: HostRules
): (address: string) => boolean {
  const host = hostname.includes(':') && !hostname.startsWith('[') ? `[${hostname}]` : hostname
  const mayBePrivate = rules.mayBePrivate(host, Number(port) || (protocol === 'https:' ? 443 : 80))
  return (address) => {
    const reach = reachOf(address)
    return reach === 'public' || (reach === 'private' && mayBePrivate)
  }
}

async function allowedAddresses(
  hostname: string,
  { lookUp, isAllowed }: { lookUp: LookUp; isAllowed: (address: string) => boolean }
): Promise<Address[]> {
  const addresses = await lookUp(hostname.replace(/^\[|\]$/g, ''))
  if (addresses.length === 0 || !addresses.every(({ address }) => isAllowed(address))) throw noAddress()
  return addresses
}

/**
 * One answer to a host that is not there and one that is, inside: names of the internal network can't be told
 * by trying.
 */
function noAddress(): Error {
  return new ImageUrlRefused('its host has no public address')
}

function pinned(addresses: Address[]): LookupFunction {
  return (_, options, callback) => {
    if (options.all) callback(null, addresses)
    else callback(null, addresses[0].address, addresses[0].family)
  }
}
