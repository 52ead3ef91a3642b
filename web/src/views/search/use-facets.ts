import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Answer } from '../../../../src/client/client.js'
import { apiKey, call, isAbort, messageOf } from '../../connection.js'

export type Facet = Answer<'/v1/collections/{collection}/facets', 'get'>['fields'][number]

/** Values of a field that are listed at most. */
const VALUES = 50

/** What there is to filter by in a collection, and why it can't be told. Another `filling` asks again. */
export function useFacets(
  collection: string | undefined,
  filling: string
): { facets: Facet[]; problem?: string } {
  const state = useSignal<{ facets: Facet[]; problem?: string }>({ facets: [] })
  useEffect(() => {
    state.value = { facets: [] }
    if (collection === undefined) return
    const stop = new AbortController()
    call((client) =>
      client.get('/v1/collections/{collection}/facets', {
        params: { path: { collection }, query: { limit: VALUES } },
        signal: stop.signal
      })
    ).then(
      ({ fields }) => {
        if (!stop.signal.aborted) state.value = { facets: fields }
      },
      (error: unknown) => {
        if (!stop.signal.aborted && !isAbort(error)) state.value = { facets: [], problem: messageOf(error) }
      }
    )
    return () => stop.abort()
  }, [collection, filling, apiKey.value])
  return state.value
}
