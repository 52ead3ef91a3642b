import ipaddr from 'ipaddr.js'

/**
 * Who an address leads to: anyone on the internet, a machine of a private network (this one included), or
 * no one that an image is fetched from in any case: link-local (where clouds keep their credentials),
 * multicast, reserved, translated.
 */
export type Reach = 'public' | 'private' | 'special'

const PRIVATE = new Set(['loopback', 'private', 'carrierGradeNat', 'uniqueLocal'])

/**
 * What is assigned as global unicast (RFC 4291). Outside of it lie, among others, IPv4-compatible addresses,
 * which ipaddr.js has no range for.
 */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3')

/** IPv4 behind a translator (RFC 6052): what DNS64 answers for hosts without IPv6. */
const NAT64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96')

/**
 * Who an address leads to, by the registries of special-purpose addresses (RFC 6890) as ipaddr.js has them.
 * Throws for what is no address.
 */
export function reachOf(address: string): Reach {
  // A mapped IPv4 address becomes plain.
  const parsed = ipaddr.process(address)
  if (parsed.kind() === 'ipv4') return reachOfRange(parsed.range())
  const v6 = parsed as ipaddr.IPv6
  // The local-use prefix 64:ff9b:1::/48 (RFC 8215) may translate to private addresses in ways that can't be
  // read from it.
  if (v6.match(NAT64))
    return reachOf(v6.toByteArray().slice(12).join('.')) === 'public' ? 'public' : 'special'
  const reach = reachOfRange(v6.range())
  return reach === 'public' && !v6.match(GLOBAL_UNICAST) ? 'special' : reach
}

function reachOfRange(range: string): Reach {
  if (range === 'unicast') return 'public'
  return PRIVATE.has(range) ? 'private' : 'special'
}
