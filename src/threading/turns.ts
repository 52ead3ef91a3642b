import { setImmediate as nextTurn } from 'node:timers/promises'

/** How long work may hold the event loop before others have their turn, in milliseconds. */
const PIECE_MS = 5

/** Maps items, with turns of the event loop between. */
export async function mapInTurns<T, R>(items: T[], map: (item: T) => R): Promise<R[]> {
  const giveWay = turns()
  const mapped: R[] = []
  for (const item of items) {
    mapped.push(map(item))
    await giveWay()
  }
  return mapped
}

/**
 * A function to be awaited between the steps of long work: it lets others have their turn once the work has
 * held the loop for a while.
 */
export function turns(): () => Promise<void> | undefined {
  let since = performance.now()
  return () => {
    if (performance.now() - since < PIECE_MS) return undefined
    return nextTurn(undefined).then(() => void (since = performance.now()))
  }
}
