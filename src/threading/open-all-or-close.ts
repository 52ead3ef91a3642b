/**
 * Waits for several things that are being opened. When one fails, closes those that did open, and throws the
 * error of the first that failed.
 */
export async function openAllOrClose<Opened extends unknown[]>(
  opening: { [I in keyof Opened]: Promise<Opened[I]> },
  close: (opened: Opened[number]) => Promise<void>
): Promise<Opened> {
  const settled = await Promise.allSettled(opening as Promise<Opened[number]>[])
  const failed = settled.find((result) => result.status === 'rejected')
  if (!failed) return (await Promise.all(opening as Promise<Opened[number]>[])) as Opened
  for (const result of settled) if (result.status === 'fulfilled') await close(result.value)
  throw failed.reason
}
