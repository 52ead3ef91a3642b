import type { Lane } from './batcher.js'

/** An item that waits or runs, and those who wait for it. */
export interface Entry<Item, Result> {
  item: Item
  key?: string
  lane: Lane
  addedAt: number
  waiters: Set<Waiter<Result>>
  /** Aborts the batch that runs it when nobody waits for the batch. */
  onAbandoned?: (reason: unknown) => void
}

export interface Waiter<Result> {
  resolve: (result: Result) => void
  reject: (error: unknown) => void
}

/** Takes an item out of a list; whether it was there. */
export function removeFrom<T>(list: T[], item: T): boolean {
  const position = list.indexOf(item)
  if (position >= 0) list.splice(position, 1)
  return position >= 0
}
