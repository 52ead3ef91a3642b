import type { Lane } from '../threading/call-options.js'

export interface SlotOptions {
  host: string
  lane: Lane
  signal: AbortSignal
}

/** Bounds how much runs at a time, overall and by host. */
export interface Slots {
  /** Those that wait for a slot. */
  readonly waiting: number
  /** Does work when there is a slot for it. Rejects with the signal's reason where that comes first. */
  run<T>(options: SlotOptions, work: () => Promise<T>): Promise<T>
}

interface Waiter extends SlotOptions {
  start: () => void
}

/**
 * The part of the slots that bulk work may take: a search finds one free where a bulk load waits for slow
 * hosts.
 */
const BULK_PART = 0.75

/** Makes so many slots, of which one host may take so many. */
export function createSlots(limits: { overall: number; perHost: number }): Slots {
  const waiters: Record<Lane, Set<Waiter>> = { interactive: new Set(), bulk: new Set() }
  const taken = new Map<string, number>()
  let running = 0
  const isFree = ({ host, lane }: Waiter) => {
    const part = (limit: number) => (lane === 'bulk' ? Math.max(1, Math.floor(limit * BULK_PART)) : limit)
    return running < part(limits.overall) && (taken.get(host) ?? 0) < part(limits.perHost)
  }
  const startAll = () => {
    for (const lane of ['interactive', 'bulk'] as const) {
      for (const waiter of waiters[lane]) {
        if (running >= limits.overall) return
        if (isFree(waiter)) waiter.start()
      }
    }
  }
  const take = (options: SlotOptions) =>
    new Promise<void>((resolve, reject) => {
      const { host, lane, signal } = options
      if (signal.aborted) return reject(signal.reason)
      const leave = () => {
        waiters[lane].delete(waiter)
        reject(signal.reason)
      }
      const waiter: Waiter = {
        ...options,
        start: () => {
          waiters[lane].delete(waiter)
          signal.removeEventListener('abort', leave)
          running++
          taken.set(host, (taken.get(host) ?? 0) + 1)
          resolve()
        }
      }
      signal.addEventListener('abort', leave, { once: true })
      waiters[lane].add(waiter)
      startAll()
    })
  const release = (host: string) => {
    running--
    const left = taken.get(host)! - 1
    if (left > 0) taken.set(host, left)
    else taken.delete(host)
    startAll()
  }
  return {
    get waiting() {
      return waiters.interactive.size + waiters.bulk.size
    },
    run: async (options, work) => {
      await take(options)
      try {
        return await work()
      } finally {
        release(options.host)
      }
    }
  }
}
