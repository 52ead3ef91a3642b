import { useSignal, type ReadonlySignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { call, isAbort, messageOf } from '../../connection.js'
import { colorByNumbers, colorByValues, colorPlain, type Coloring } from './colors.js'
import { fetchScores, fetchValues, type Neighbors, type Target } from './neighbors.js'

export interface ColorQuestion {
  collection: string | undefined
  target: Target
  size: number
  sample: Neighbors | undefined
  /**
   * By which the points are coloured: the similarity to a text, else a field of the metadata, else all alike.
   */
  prompt: string
  field: string
}

/** Colours of the points of a sample. */
export function useColoring({ collection, target, size, sample, prompt, field }: ColorQuestion): {
  coloring: ReadonlySignal<Coloring | undefined>
  problem: ReadonlySignal<string | undefined>
} {
  const coloring = useSignal<Coloring | undefined>(undefined)
  const problem = useSignal<string | undefined>(undefined)
  useEffect(() => {
    problem.value = undefined
    if (!sample || collection === undefined) {
      coloring.value = undefined
      return
    }
    if (coloring.value?.colors.length !== 4 * sample.ids.length || (prompt === '' && field === ''))
      coloring.value = colorPlain(sample.ids.length)
    if (prompt === '' && field === '') return
    const stop = new AbortController()
    const { signal } = stop
    const color = async (): Promise<Coloring> => {
      const { ids } = sample
      if (prompt !== '')
        return colorByNumbers(
          await call((client) => fetchScores(client, { collection, target, ids, text: prompt, signal })),
          (score) => score.toFixed(2)
        )
      const values = await call((client) =>
        fetchValues(client, { collection, target, sample: size, field, signal })
      )
      return colorByValues(ids.map((id) => values.get(id) ?? null))
    }
    color().then(
      (next) => {
        if (!signal.aborted) coloring.value = next
      },
      (error) => {
        if (!isAbort(error)) problem.value = messageOf(error)
      }
    )
    return () => stop.abort()
  }, [collection, target, size, sample, prompt, field])
  return { coloring, problem }
}
