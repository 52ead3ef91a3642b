import type { Lane } from './batcher.js'
import type { Lateness } from './lateness.js'

/** An item that waits or runs, and those who wait for it. */
export interface Entry<Item, Result> {
  item: Item
  key?: string
  lane: Lane
  addedAt: number
  waiters: Set<Waiter<Result>>
  /** Whether it is worked on, or was. */
  isBegun?: boolean
  /** Aborts the batch that runs it when nobody waits for the batch. */
  onAbandoned?: (reason: unknown) => void
}

export interface Waiter<Result> {
  /** Told when a batch begins with its entry. */
  onBegun: () => void
  resolve: (result: Result) => void
  reject: (error: unknown) => void
}

interface Leaving {
  signal?: AbortSignal
  lateness?: Lateness
  onBegun?: () => void
  /** Told when the caller waits no more, with the reason. */
  onLeave: (reason: unknown) => void
}

/**
 * A caller that waits for an entry: until it is answered, its signal aborts, or its request is refused for
 * being late.
 */
export function createWaiter<Result>(
  { resolve, reject }: Omit<Waiter<Result>, 'onBegun'>,
  { signal, lateness, onBegun, onLeave }: Leaving
): Waiter<Result> {
  const leave = (reason: unknown) => {
    onLeave(reason)
    waiter.reject(reason)
  }
  const onAbort = () => leave(signal!.reason)
  const settled = () => {
    signal?.removeEventListener('abort', onAbort)
    lateness?.remove(leave)
  }
  const waiter: Waiter<Result> = {
    onBegun: () => (lateness?.begun(), onBegun?.()),
    resolve: (result) => (settled(), resolve(result)),
    reject: (error) => (settled(), reject(error))
  }
  signal?.addEventListener('abort', onAbort, { once: true })
  lateness?.add(leave)
  return waiter
}

/** Notes that an entry is worked on, and tells those who wait for it. */
export function begin<Item, Result>(entry: Entry<Item, Result>): void {
  entry.isBegun = true
  for (const { onBegun } of entry.waiters) onBegun()
}

/** Takes an item out of a list; whether it was there. */
export function removeFrom<T>(list: T[], item: T): boolean {
  const position = list.indexOf(item)
  if (position >= 0) list.splice(position, 1)
  return position >= 0
}
