/**
 * Does some work for each item, at most `atOnce` at a time, begun in their order. After an error nothing more
 * is begun; it rejects with the first one, once nothing is under way any more.
 */
export async function inFlight<T>(
  items: Iterable<T>,
  atOnce: number,
  work: (item: T) => Promise<void>
): Promise<void> {
  const errors: unknown[] = []
  const left = items[Symbol.iterator]()
  const next = async () => {
    while (errors.length === 0) {
      const { done, value } = left.next()
      if (done) return
      await work(value).catch((error) => void errors.push(error))
    }
  }
  await Promise.all(Array.from({ length: atOnce }, next))
  if (errors.length > 0) throw errors[0]
}
