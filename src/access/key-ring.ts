import { createHmac, randomBytes } from 'node:crypto'
import { unwatchFile, watchFile } from 'node:fs'
import { resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { digestOf, isExpired, suffices, type ApiKey } from './api-key.js'
import { environmentKeys } from './environment-keys.js'
import { readKeyFile, toApiKeys } from './key-file.js'

/** The API keys in force. */
export interface KeyRing {
  /**
   * Whether callers must show a key. A file that holds none any more lets no one in, rather than everybody.
   */
  readonly isLocked: boolean
  /** How many keys there are. */
  readonly size: number
  /** Whether the file can't be read as it is now, so that the keys from before are in force. */
  readonly isStale: boolean
  /** The key that was presented, expired or not. */
  find(presented: string): ApiKey | undefined
  /** Whether a key that was found is still there, and may all that it might. */
  holds(key: ApiKey): boolean
  /** Calls a listener whenever the keys have changed. */
  onChange(listener: () => void): void
  /** Reads the file again, now. */
  reload(): Promise<void>
  close(): void
}

/** What a reading of the file changed, by the keys' names; or why it changed nothing. */
export type KeysReload = { added: string[]; removed: string[]; changed: string[] } | { error: Error }

export interface KeyRingOptions {
  /** `API_KEYS`. */
  entries: string[]
  /** `API_KEYS_FILE`; empty for none. */
  path?: string
  /** Told of every reading that changed the keys, or failed to. */
  onReload?: (reload: KeysReload) => void
  /** Told of a file that others may read or write. */
  onExposure?: (warning: string) => void
}

/**
 * How often the file is looked at, in milliseconds. It is polled, since what inotify tells of is missing on
 * network and bind-mounted volumes, and what it watches is left behind when a file is replaced by rename or a
 * link is swapped; a look follows links, and compares inode, size and times.
 */
const POLL_MS = 500

/** Keys of the environment alone. Throws an Error that says what is wrong. */
export function fixedKeyRing(entries: string[]): KeyRing {
  const keys = environmentKeys(entries)
  const find = indexed(keys)
  return {
    isLocked: keys.length > 0,
    size: keys.length,
    isStale: false,
    find: (presented) => find(digestOf(presented)),
    holds: () => true,
    onChange: () => undefined,
    reload: async () => undefined,
    close: () => undefined
  }
}

/** The keys of the environment and of the file, which is watched. Throws an Error that says what is wrong. */
export async function openKeyRing({
  entries,
  path: given,
  onReload,
  onExposure
}: KeyRingOptions): Promise<KeyRing> {
  if (!given) return fixedKeyRing(entries)
  const path = resolve(given)
  const fixed = environmentKeys(entries)
  let fromFile: ApiKey[] = []
  let exposed: string | undefined
  let find = indexed(fixed)
  let isStale = false
  let isClosed = false
  const listeners: (() => void)[] = []
  const take = ({ file, exposure }: Awaited<ReturnType<typeof readKeyFile>>) => {
    const before = fromFile
    if (exposure && exposure !== exposed) onExposure?.(exposure)
    exposed = exposure
    fromFile = toApiKeys(file)
    find = indexed([...fixed, ...fromFile])
    for (const listener of listeners) listener()
    return differenceOf(before, fromFile)
  }
  const readAgain = async () => {
    const read = await readKeyFile(path).catch((error: Error) => ({ error }))
    if (isClosed) return
    const wasStale = isStale
    isStale = 'error' in read
    const reload = 'error' in read ? read : take(read)
    if ('error' in reload || wasStale || Object.values(reload).some((names) => names.length > 0))
      onReload?.(reload)
  }
  // One after the other, so that the last look wins. Watched from before the first, so that no change falls
  // in between.
  let last = Promise.resolve()
  const reload = () => (last = last.then(readAgain))
  const listener = () => void reload()
  const close = () => {
    isClosed = true
    unwatchFile(path, listener)
  }
  watchFile(path, { interval: POLL_MS, persistent: false }, listener)
  const first = readKeyFile(path).then(take)
  last = first.then(() => undefined, close)
  await first
  return {
    isLocked: true,
    get size() {
      return fixed.length + fromFile.length
    },
    get isStale() {
      return isStale
    },
    find: (presented) => find(digestOf(presented)),
    holds: (key) => {
      const now = find(key.digest)
      return (
        now !== undefined &&
        !isExpired(now) &&
        suffices(now.scope, key.scope) &&
        isDeepStrictEqual(now.collections, key.collections)
      )
    },
    onChange: (listener) => void listeners.push(listener),
    reload,
    close
  }
}

/**
 * A look-up of keys by digest. It goes by a keyed hash of the digest, which a caller can't foresee, so that
 * the time it takes tells nothing of the keys, however many there are. Of two with one digest the one that
 * may more counts.
 */
function indexed(keys: ApiKey[]): (digest: Buffer) => ApiKey | undefined {
  const secret = randomBytes(32)
  const blind = (digest: Buffer) => createHmac('sha256', secret).update(digest).digest('base64')
  const byBlind = new Map<string, ApiKey>()
  for (const key of keys) {
    const place = blind(key.digest)
    const there = byBlind.get(place)
    if (!there || !suffices(there.scope, key.scope)) byBlind.set(place, key)
  }
  return (digest) => byBlind.get(blind(digest))
}

function differenceOf(
  before: ApiKey[],
  after: ApiKey[]
): { added: string[]; removed: string[]; changed: string[] } {
  const old = new Map(before.map((key) => [key.name, JSON.stringify(key)]))
  const names = new Set(after.map(({ name }) => name))
  return {
    added: after.filter(({ name }) => !old.has(name)).map(({ name }) => name),
    removed: before.filter(({ name }) => !names.has(name)).map(({ name }) => name),
    changed: after
      .filter((key) => old.has(key.name) && old.get(key.name) !== JSON.stringify(key))
      .map(({ name }) => name)
  }
}
