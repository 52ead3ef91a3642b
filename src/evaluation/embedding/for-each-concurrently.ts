/**
 * Calls a function for each item in order, at most `concurrency` at a time. After an error no call is
 * begun; it rejects with the first error once all calls have settled.
 */
export async function forEachConcurrently<T>(
  items: Iterable<T>,
  concurrency: number,
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
  await Promise.all(Array.from({ length: concurrency }, next))
  if (errors.length > 0) throw errors[0]
}
