import { useCallback } from 'preact/hooks'
import { useLocation, useSearch } from 'wouter-preact'
import { useHistoryState } from 'wouter-preact/use-browser-location'
import { collections } from './collections.js'

/**
 * Longest query of a link, in characters: Node.js answers 431 to a head of more than 16 KiB, and proxies to
 * less.
 */
const LONGEST_QUERY = 8000

/** The whole query, kept by the history of the tab for a link that is too short for it. */
type Kept = { query: string } | null

/** What a view keeps in its link, beside its path. */
export interface Address {
  get(name: string): string
  getAll(name: string): string[]
  /**
   * Changes the link; undefined, '' and [] take a name out. A change that is typed replaces the entry of the
   * history.
   */
  set(changes: Record<string, string | string[] | undefined>, options?: { replace?: boolean }): void
  /**
   * Whether the link lacks some of it, which would be too long: going back and loading the page again have it
   * still, a copy of the link has not.
   */
  isCut: boolean
}

/** A query without what is longest in it, so that a link can carry it. */
function linkable(query: URLSearchParams): string {
  const rest = new URLSearchParams(query)
  const lengthOf = (name: string) =>
    new URLSearchParams(rest.getAll(name).map((value) => [name, value])).toString().length
  while (rest.toString().length > LONGEST_QUERY)
    rest.delete(
      [...new Set(rest.keys())].reduce((longest, name) =>
        lengthOf(name) > lengthOf(longest) ? name : longest
      )
    )
  return rest.toString()
}

/** The link's query, as the state of a view. */
export function useAddress(): Address {
  const search = useSearch()
  const [path, navigate] = useLocation()
  const kept = useHistoryState<Kept>()
  const query = new URLSearchParams(kept?.query ?? search)
  const set = useCallback<Address['set']>(
    (changes, { replace = true } = {}) => {
      // A late answer to a view that was left meanwhile.
      if (location.pathname !== path) return
      // What is there now, not when it was rendered: two changes may come in a row.
      const next = new URLSearchParams((history.state as Kept)?.query ?? location.search)
      for (const [name, value] of Object.entries(changes)) {
        next.delete(name)
        for (const each of [value ?? []].flat()) if (each !== '') next.append(name, each)
      }
      const text = next.toString()
      const link = linkable(next)
      navigate(link === '' ? path : `${path}?${link}`, {
        replace,
        state: link === text ? null : { query: text }
      })
    },
    [path, navigate]
  )
  return {
    get: (name) => query.get(name) ?? '',
    getAll: (name) => query.getAll(name),
    set,
    isCut: kept?.query !== undefined
  }
}

/** The collection that a view is about: that of the link, else the one with most records. */
export function useCollectionName(): string | undefined {
  const named = useAddress().get('c')
  return (
    named ||
    (collections.value ?? []).reduce(
      (most, each) => (most === undefined || each.records > most.records ? each : most),
      collections.value?.[0]
    )?.name
  )
}
