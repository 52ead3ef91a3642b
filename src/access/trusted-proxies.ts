import { isIP } from 'node:net'

/** Names of ranges that stand for themselves in Fastify's `trustProxy`. */
const RANGES = ['loopback', 'linklocal', 'uniquelocal']

/**
 * The proxies of TRUST_PROXY: addresses, networks as `10.0.0.0/8`, or names of ranges. Throws an Error that
 * names the first that is none.
 */
export function trustedProxies(entries: string[]): string[] {
  return entries.map((entry) => {
    const proxy = entry.trim()
    const [address, prefix, ...more] = proxy.split('/')
    const bits = isIP(address) === 6 ? 128 : 32
    const isNetwork =
      isIP(address) > 0 &&
      more.length === 0 &&
      (prefix === undefined || (/^\d+$/.test(prefix) && Number(prefix) >= 1 && Number(prefix) <= bits))
    if (!isNetwork && !RANGES.includes(proxy))
      throw new Error(
        `TRUST_PROXY: '${proxy}' must be an address, a network such as 10.0.0.0/8, or one of ` +
          `${RANGES.join(', ')}.`
      )
    return proxy
  })
}
