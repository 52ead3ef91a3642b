import { useSignal } from '@preact/signals'
import { useCallback, useEffect, useRef } from 'preact/hooks'
import { apiKey, isAbort } from '../../connection.js'
import { isSearch, type SearchRequest } from './search-request.js'
import { find, type Found, type Page } from './find.js'

export interface Results {
  found: Found[]
  /** The first page's: how long it took and how it was searched. */
  first?: Page
  /** Whether there are more to ask for. */
  hasMore: boolean
  isBusy: boolean
  /** What was thrown. */
  problem?: unknown
  loadMore(): void
  retry(): void
}

interface State {
  found: Found[]
  first?: Page
  next?: string
  isBusy: boolean
  problem?: unknown
}

/**
 * What a query finds, page by page. While the next query is under way the answer to the last one stays; late
 * answers are dropped. Where nothing is searched for another `filling` lists again.
 */
export function useResults(collection: string | undefined, request: SearchRequest, filling: string): Results {
  const state = useSignal<State>({ found: [], isBusy: true })
  const tries = useSignal(0)
  const key = JSON.stringify([collection, request, apiKey.value, tries.value, isSearch(request) || filling])
  const current = useRef({ stop: new AbortController(), request, collection: '' })

  const load = useCallback(async (from?: string) => {
    const {
      stop: { signal },
      request,
      collection
    } = current.current
    state.value = { ...state.value, isBusy: true, problem: undefined }
    try {
      const page = await find(request, { collection, from, signal })
      if (signal.aborted) return
      const before = from === undefined ? [] : state.value.found
      const known = new Set(before.map(({ id }) => id))
      // Records that were added meanwhile push others to the next page.
      const found = [...before, ...page.found.filter(({ id }) => !known.has(id))]
      state.value = {
        found,
        first: from === undefined ? page : state.value.first,
        next: page.next,
        isBusy: false
      }
    } catch (error) {
      if (signal.aborted || isAbort(error)) return
      state.value = {
        ...state.value,
        ...(from === undefined && { found: [], first: undefined, next: undefined }),
        isBusy: false,
        problem: error
      }
    }
  }, [])

  useEffect(() => {
    if (collection === undefined) return
    const stop = new AbortController()
    current.current = { stop, request, collection }
    void load()
    return () => stop.abort()
  }, [key])

  const { found, first, next, isBusy, problem } = state.value
  return {
    found,
    first,
    isBusy,
    problem,
    hasMore: next !== undefined,
    loadMore: () => {
      const { next, isBusy } = state.peek()
      if (next !== undefined && !isBusy) void load(next)
    },
    retry: () => (tries.value += 1)
  }
}
