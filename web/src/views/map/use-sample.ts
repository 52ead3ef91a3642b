import { useSignal, type ReadonlySignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { call, isAbort, messageOf } from '../../connection.js'
import { layOut, type Layout, type RunningLayout } from './layout.js'
import { fetchNeighbors, type Neighbors, type Target } from './neighbors.js'

/**
 * Points that UMAP itself lays out; of larger samples it lays out so many, and the others find their places
 * among them.
 */
const MOST_BY_UMAP = 5000

export interface Sampled {
  sample: Neighbors
  layout: ReadonlySignal<Layout | undefined>
}

export interface SampleState {
  sampled: ReadonlySignal<Sampled | undefined>
  problem: ReadonlySignal<string | undefined>
}

/** A sample of a collection as it is laid out; again whenever what is asked for changes, or `tries` does. */
export function useSample({
  collection,
  target,
  size,
  tries
}: {
  collection: string | undefined
  target: Target
  size: number
  tries: number
}): SampleState {
  const sampled = useSignal<Sampled | undefined>(undefined)
  const problem = useSignal<string | undefined>(undefined)
  useEffect(() => {
    sampled.value = undefined
    problem.value = undefined
    if (collection === undefined) return
    const stop = new AbortController()
    let running: RunningLayout | undefined
    const load = async () => {
      const ask = (sample: number) =>
        call((client) => fetchNeighbors(client, { collection, target, sample, signal: stop.signal }))
      const all = await ask(size)
      const landmarks = all.ids.length > MOST_BY_UMAP ? await ask(MOST_BY_UMAP) : undefined
      if (stop.signal.aborted) return
      running = layOut({ all, ...(landmarks && { landmarks }) }, `map ${collection} ${target}`)
      sampled.value = { sample: all, layout: running.layout }
      await running.done
    }
    load().catch((error) => {
      if (!isAbort(error) && !stop.signal.aborted) problem.value = messageOf(error)
    })
    return () => {
      stop.abort()
      running?.stop()
    }
  }, [collection, target, size, tries])
  return { sampled, problem }
}
