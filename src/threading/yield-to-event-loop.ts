import { setImmediate as nextTurn } from 'node:timers/promises'

/** How long work may block the event loop before it yields, in milliseconds. */
const MAX_BLOCK_MS = 5

/** Maps items, and yields to the event loop between them. */
export async function mapYielding<T, R>(items: T[], map: (item: T) => R): Promise<R[]> {
  const yieldToEventLoop = createYielder()
  const mapped: R[] = []
  for (const item of items) {
    mapped.push(map(item))
    await yieldToEventLoop()
  }
  return mapped
}

/**
 * Returns a function to be awaited between the steps of long work: it yields to the event loop once the work
 * has blocked it for a while.
 */
export function createYielder(): () => Promise<void> | undefined {
  let since = performance.now()
  return () => {
    if (performance.now() - since < MAX_BLOCK_MS) return undefined
    return nextTurn(undefined).then(() => void (since = performance.now()))
  }
}
