// Loaded into the service by --import: the longest piece of its main thread, in milliseconds of processor
// time where Linux tells that (wall-clock time is noisy on shared cores), told to the parent process when it
// asks.
import { openSync, readSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

/**
 * Timers are due in every turn of the event loop, so that the time between two of them is that of one turn.
 */
const BEAT_MS = 1

if (isMainThread && process.send) {
  const now = clock()
  let longest = 0
  let last = now()
  const look = () => {
    const at = now()
    longest = Math.max(longest, at - last)
    last = at
  }
  setInterval(look, BEAT_MS).unref()
  process.on('message', (message) => {
    if (message !== 'longest') return
    look()
    process.send({ longest })
    longest = 0
    last = now()
  })
  process.channel.unref()
}

/** The processor time of this thread in milliseconds. */
function clock() {
  try {
    const file = openSync('/proc/thread-self/schedstat')
    const bytes = Buffer.alloc(64)
    return () => Number(bytes.latin1Slice(0, readSync(file, bytes, 0, 64, 0)).split(' ')[0]) / 1e6
  } catch {
    return () => performance.now()
  }
}
