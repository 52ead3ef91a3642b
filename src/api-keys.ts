import { createHash, timingSafeEqual } from 'node:crypto'

export interface ApiKey {
  scope: 'read' | 'write'
  digest: Buffer
}

/** API keys from `scope:key` entries, kept as digests. Throws an Error that names what is wrong, without the key. */
export function parseApiKeys(entries: string[]): ApiKey[] {
  return entries.map((entry, i) => {
    const [, scope, key] = /^(read|write):(\S{16,})$/.exec(entry.trim()) ?? []
    if (!scope) throw new Error(`API_KEYS: entry ${i + 1} is not read:KEY or write:KEY with a KEY of 16 or more characters.`)
    return { scope: scope as ApiKey['scope'], digest: sha256(key) }
  })
}

/**
 * The key that was presented, the one that may more if it is there twice. Digests have one length and every one is
 * compared, so that the time taken tells nothing of the keys.
 */
export function findKey(keys: ApiKey[], presented: string): ApiKey | undefined {
  const digest = sha256(presented)
  return keys.filter((key) => timingSafeEqual(key.digest, digest)).sort((a, b) => (a.scope === 'write' ? -1 : b.scope === 'write' ? 1 : 0))[0]
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
