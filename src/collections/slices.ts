import { setImmediate as nextTurn } from 'node:timers/promises'

/**
 * How long a thread works on something long before it looks at other calls: what a search may have to wait
 * for it.
 */
export const SLICE_MS = 4

/** Tells work in another thread that it may end: not 0 when it may. Signals can't cross threads. */
export type StopFlag = Int32Array

/** A flag that goes up when a signal aborts. */
export function stopFlag(signal: AbortSignal): StopFlag {
  const flag = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  const stop = () => Atomics.store(flag, 0, 1)
  if (signal.aborted) stop()
  else signal.addEventListener('abort', stop, { once: true })
  return flag
}

/** Whether the work may end. */
export function isStopped(flag: StopFlag): boolean {
  return Atomics.load(flag, 0) !== 0
}

/**
 * Does long work, giving way to other calls after each slice of time: the generator yields where it may be
 * interrupted, a fraction of a slice apart. Resolves to undefined when it was stopped.
 */
export async function inSlices<T>(work: Generator<void, T>, stop: StopFlag): Promise<T | undefined> {
  let until = performance.now() + SLICE_MS
  for (;;) {
    const step = work.next()
    if (step.done) return step.value
    if (performance.now() < until) continue
    await nextTurn()
    if (isStopped(stop)) return undefined
    until = performance.now() + SLICE_MS
  }
}
