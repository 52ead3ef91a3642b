import { fork, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { UnreachableError } from './exit-codes.js'
import { host } from './host.js'

/** What the child says of itself, once. */
export type Announcement = { url: string; dataDir: string } | { error: string }

export interface OwnService {
  url: string
  apiKey: string
  dataDir: string
  /** Resolves when it has ended, and the data folder is free for the next one. */
  end(): Promise<void>
}

const entry = fileURLToPath(new URL('./own-service-child.js', import.meta.url))

/**
 * Starts a service for one command: on a free loopback port, over DATA_DIR, without the demo unless DEMO asks
 * for it. It has a key that no one else knows, and ends with the command, however that ends. Throws an
 * UnreachableError with why it does not start.
 */
export async function startOwnService(signal: AbortSignal): Promise<OwnService> {
  const apiKey = randomBytes(24).toString('base64url')
  const { DEMO = 'false', LOG_LEVEL = 'error' } = host().env
  const env = {
    ...host().env,
    DEMO,
    LOG_LEVEL,
    HOST: '127.0.0.1',
    PORT: '0',
    API_KEYS: `admin:${apiKey}`,
    SHUTDOWN_DELAY_MS: '0'
  }
  // What it logs goes where messages go: standard output is the command's.
  const child = fork(entry, { env, stdio: ['ignore', 2, 'inherit', 'ipc'] })
  const ended = once(child, 'exit')
  const end = async () => {
    if (child.connected) child.disconnect()
    await ended
  }
  try {
    const announced = await announcement(child, signal)
    if ('error' in announced) {
      const hint = /is in use by/.test(announced.error)
        ? " If a service uses it, set --url to the service's address."
        : ''
      throw new UnreachableError(`${announced.error}${hint}`)
    }
    return { ...announced, apiKey, end }
  } catch (error) {
    await end()
    throw error
  }
}

async function announcement(child: ChildProcess, signal: AbortSignal): Promise<Announcement> {
  const over = new AbortController()
  try {
    const died = once(child, 'exit', { signal: over.signal }).then(([code, by]): Announcement => ({
      error: `The service that the command started ended with ${code ?? by}.`
    }))
    const spoke = once(child, 'message', { signal: AbortSignal.any([over.signal, signal]) }).then(
      ([message]) => message as Announcement
    )
    died.catch(() => undefined)
    return await Promise.race([spoke, died])
  } finally {
    over.abort()
  }
}
