import type { Lane } from './call-options.js'

/** An item that waits or runs, and those who wait for it. */
export interface Entry<Item, Result> {
  item: Item
  key?: string
  lane: Lane
  addedAt: number
  /** When its call joined the first queue on its way. */
  since: number
  waiters: Set<Waiter<Result>>
  /** Whether it is worked on, or was. */
  isBegun?: boolean
  /** Aborts the batch that runs it when no one waits for the batch. */
  onAbandoned?: (reason: unknown) => void
}

export interface Waiter<Result> {
  /** Told when a batch begins with its entry. */
  onBegun: () => void
  resolve: (result: Result) => void
  reject: (error: unknown) => void
}

/**
 * Rejects a request that waits in the queue for longer than it may: all of its entries, and only while none
 * has begun. The items of one request may take longer than the bound, so a request that has begun is
 * finished.
 */
export class QueueTimeout {
  readonly #leave = new Set<(reason: Error) => void>()
  #timer: NodeJS.Timeout | undefined

  constructor(boundMs: number, reason: () => Error) {
    this.#timer = setTimeout(() => {
      const rejection = reason()
      for (const leave of [...this.#leave]) leave(rejection)
    }, boundMs)
  }

  /** Adds an entry, as the function that rejects it. */
  add(leave: (reason: Error) => void): void {
    this.#leave.add(leave)
  }

  /** Removes an entry that is settled. */
  remove(leave: (reason: Error) => void): void {
    this.#leave.delete(leave)
    if (this.#leave.size === 0) this.clear()
  }

  /** Stops the timeout: an entry of the request has begun. */
  clear(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}

interface WaiterOptions {
  signal?: AbortSignal
  queueTimeout?: QueueTimeout
  onBegun?: () => void
  /** Told when the caller waits no more, with the reason. */
  onLeave: (reason: unknown) => void
}

/** A caller that waits for an entry: until it is settled, its signal aborts, or its queue timeout is over. */
export function createWaiter<Result>(
  { resolve, reject }: Omit<Waiter<Result>, 'onBegun'>,
  { signal, queueTimeout, onBegun, onLeave }: WaiterOptions
): Waiter<Result> {
  const leave = (reason: unknown) => {
    onLeave(reason)
    waiter.reject(reason)
  }
  const onAbort = () => leave(signal!.reason)
  const settled = () => {
    signal?.removeEventListener('abort', onAbort)
    queueTimeout?.remove(leave)
  }
  const waiter: Waiter<Result> = {
    onBegun: () => (queueTimeout?.clear(), onBegun?.()),
    resolve: (result) => (settled(), resolve(result)),
    reject: (error) => (settled(), reject(error))
  }
  signal?.addEventListener('abort', onAbort, { once: true })
  queueTimeout?.add(leave)
  return waiter
}

/** Notes that an entry is worked on, and tells those who wait for it. */
export function begin<Item, Result>(entry: Entry<Item, Result>): void {
  entry.isBegun = true
  for (const { onBegun } of entry.waiters) onBegun()
}

/** Adds an entry to a list that is in the order of `since`, behind those that came at the same time. */
export function insert<Item, Result>(list: Entry<Item, Result>[], entry: Entry<Item, Result>): void {
  list.splice(countUntil(list, entry.since), 0, entry)
}

/** How many entries of a list in the order of `since` came before a time or at it. */
export function countUntil<Item, Result>(list: Entry<Item, Result>[], time: number): number {
  // Nearly all entries come last.
  return list.findLastIndex(({ since }) => since <= time) + 1
}

/** Takes an item out of a list; whether it was there. */
export function removeFrom<T>(list: T[], item: T): boolean {
  const position = list.indexOf(item)
  if (position >= 0) list.splice(position, 1)
  return position >= 0
}
