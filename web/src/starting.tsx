import { signal, useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Answer } from '../../src/client/client.js'
import { loadCollections } from './collections.js'

type Readiness = Answer<'/health/ready', 'get'>

/**
 * How often the service became ready while the page was there: what was listed before is not all that there
 * is.
 */
export const becameReady = signal(0)

/** How often the service is asked how far it is, in milliseconds. */
const EVERY_MS = 1000

/** How far the service is with its start, until it is ready: the first demo load, graphs that are rebuilt. */
export function Starting() {
  const pending = useSignal<Readiness['pending']>([])
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>
    let wasStarting = false
    const ask = async () => {
      // 503 has the same body while it starts.
      const { pending: left = [] } = (await fetch('/health/ready')
        .then((answer) => answer.json())
        .catch(() => ({}))) as Partial<Readiness>
      pending.value = left
      if (left.length > 0) timer = setTimeout(ask, EVERY_MS)
      if (left.length > 0 || wasStarting) void loadCollections()
      if (left.length === 0 && wasStarting) becameReady.value += 1
      wasStarting = left.length > 0
    }
    void ask()
    return () => clearTimeout(timer)
  }, [])
  if (pending.value.length === 0) return null
  return (
    <section class="starting" aria-label="The service is starting">
      {pending.value.map(({ task, progress }) => (
        <label key={task}>
          <span>{`The service is still busy with: ${task}`}</span>
          <progress value={progress} max={1} />
        </label>
      ))}
    </section>
  )
}
