/** How far outside of the window something counts as about to be seen. */
const AHEAD = '300px'

/** Resolves once an element is about to be seen; rejects after an abort. */
export function seen(element: Element, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const watcher = new IntersectionObserver(
      (entries) => {
        if (!entries.some(({ isIntersecting }) => isIntersecting)) return
        watcher.disconnect()
        resolve()
      },
      { rootMargin: AHEAD }
    )
    watcher.observe(element)
    signal.addEventListener(
      'abort',
      () => {
        watcher.disconnect()
        reject(signal.reason as Error)
      },
      { once: true }
    )
  })
}
