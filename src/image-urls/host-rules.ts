import { ImageUrlRefused } from '../errors.js'

export interface HostLists {
  /**
   * Names, addresses, or `*.name` for all below a name. Where there are any, no other host is asked, private
   * ones excepted.
   */
  allowed: string[]
  /** As `allowed`; they win over it. */
  denied: string[]
  /**
   * As `allowed`, each with a port if it may be reached at that one only: hosts that may have private
   * addresses.
   */
  private: string[]
  /** Ports that are asked, but for private hosts that name their own. */
  ports: string[]
}

export interface HostRules {
  /**
   * An address as it may be asked: a trailing dot gone, the fragment too. Throws IMAGE_URL_REFUSED for
   * another scheme, credentials, and hosts and ports that the lists leave out.
   */
  check(url: string, base?: URL): URL
  /** Whether a host, as URLs have it, may have a private address. */
  mayBePrivate(host: string, port: number): boolean
}

interface HostPattern {
  matches(host: string): boolean
  port?: number
}

const DEFAULT_PORTS: Record<string, number> = { 'http:': 80, 'https:': 443 }

/** Makes rules of the lists. Throws an Error that names what is no host or no port. */
export function hostRules(lists: HostLists): HostRules {
  const [allowed, denied, privateHosts] = [lists.allowed, lists.denied, lists.private].map((list) =>
    list.map(parsePattern)
  )
  const withPort = [...allowed, ...denied].find(({ port }) => port !== undefined)
  if (withPort)
    throw new Error(
      'IMAGE_URL_ALLOWED_HOSTS and IMAGE_URL_DENIED_HOSTS take hosts without a port, not ' +
        `'${withPort.port}'; list ports in IMAGE_URL_PORTS.`
    )
  const ports = new Set(lists.ports.map(parsePort))
  const isIn = (patterns: HostPattern[], host: string) => patterns.some((pattern) => pattern.matches(host))
  const mayBePrivate = (host: string, at: number) =>
    privateHosts.some(
      ({ matches, port }) => matches(host) && (port === undefined ? ports.has(at) : port === at)
    )
  return {
    mayBePrivate,
    check: (text, base) => {
      const url = parseUrl(text, base)
      const { hostname } = url
      const port = portOf(url)
      if (isIn(denied, hostname)) throw new ImageUrlRefused('its host is not allowed')
      if (mayBePrivate(hostname, port)) return url
      if (allowed.length > 0 && !isIn(allowed, hostname)) throw new ImageUrlRefused('its host is not allowed')
      if (!ports.has(port)) throw new ImageUrlRefused('its port is not allowed')
      return url
    }
  }
}

/** The port that a url leads to. */
function portOf({ port, protocol }: Pick<URL, 'port' | 'protocol'>): number {
  return port === '' ? DEFAULT_PORTS[protocol] : Number(port)
}

function parseUrl(text: string, base?: URL): URL {
  if (!URL.canParse(text, base?.href))
    throw new ImageUrlRefused('it is not an absolute URL with a valid host')
  // The parser brings hosts into one form: decimal, octal, hexadecimal and short addresses, full-width
  // digits, IDN.
  const url = new URL(text, base)
  if (!(url.protocol in DEFAULT_PORTS)) throw new ImageUrlRefused('its scheme is not http or https')
  if (url.username || url.password) throw new ImageUrlRefused('it contains credentials')
  const host = url.hostname.replace(/\.+$/, '')
  if (host === '') throw new ImageUrlRefused('it has no host')
  url.hostname = host
  url.hash = ''
  return url
}

function parsePattern(text: string): HostPattern {
  const [, wildcard, name, port] = /^(\*\.)?(.+?)(?::(\d+))?$/.exec(text.trim()) ?? []
  if (!name || /[/?#@\\*\s]/.test(name) || !URL.canParse(`http://${name}`))
    throw new Error(
      `'${text}' in IMAGE_URL_ALLOWED_HOSTS, IMAGE_URL_DENIED_HOSTS or IMAGE_URL_PRIVATE_HOSTS is not ` +
        'a host: use example.com, *.example.com, 10.0.0.7 or [fd00::7].'
    )
  const host = new URL(`http://${name}`).hostname.replace(/\.+$/, '')
  return {
    matches: wildcard ? (asked) => asked.endsWith(`.${host}`) : (asked) => asked === host,
    ...(port && { port: parsePort(port) })
  }
}

function parsePort(text: string): number {
  const port = Number(text)
  if (!/^\s*\d+\s*$/.test(text) || port < 1 || port > 65_535)
    throw new Error(`'${text}' in IMAGE_URL_PORTS or IMAGE_URL_PRIVATE_HOSTS is not a port.`)
  return port
}
