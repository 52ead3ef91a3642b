import { digestOf, type ApiKey, type Scope } from './api-key.js'

/**
 * API keys from `scope:key` entries, kept as digests and named by their place: `env:1`. Throws an Error that
 * names what is wrong, without the key.
 */
export function environmentKeys(entries: string[]): ApiKey[] {
  return entries.map((entry, i) => {
    const [, scope, key] = /^(read|write|admin):(\S{16,})$/.exec(entry.trim()) ?? []
    if (!scope)
      throw new Error(
        `API_KEYS: entry ${i + 1} must be read:KEY, write:KEY or admin:KEY, with a KEY of 16 or more ` +
          'characters.'
      )
    return { name: `env:${i + 1}`, scope: scope as Scope, digest: digestOf(key) }
  })
}
