import { createHash } from 'node:crypto'

/** What an API key may do; each may all that those before it may. */
export const SCOPES = ['read', 'write', 'admin'] as const
export type Scope = (typeof SCOPES)[number]

export interface ApiKey {
  /** What logs and the audit call it. */
  name: string
  scope: Scope
  /**
   * SHA-256 of the key. The keys made here are 256 random bits, which no one can try out: a slow hash would
   * add nothing.
   */
  digest: Buffer
  /**
   * Names of collections that it reaches, or beginnings of names followed by `*`; all of them where it is
   * undefined.
   */
  collections?: string[]
  /** Requests a minute, in place of RATE_LIMIT_PER_MINUTE; 0 sets no limit. */
  rateLimit?: number
  /** Milliseconds since 1970. */
  expiresAt?: number
}

/** The digest under which a key is kept. */
export function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}

/** Whether a key of one scope may do what asks for another. */
export function suffices(has: Scope, needed: Scope): boolean {
  return SCOPES.indexOf(has) >= SCOPES.indexOf(needed)
}

/** Whether a key reaches a collection, be there one of that name or not. */
export function reaches({ collections }: Pick<ApiKey, 'collections'>, name: string): boolean {
  return (
    collections === undefined ||
    collections.some((pattern) =>
      pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern
    )
  )
}

/** Whether the time of a key is over. */
export function isExpired({ expiresAt }: ApiKey): boolean {
  return expiresAt !== undefined && expiresAt <= Date.now()
}
