import { useRef } from 'preact/hooks'
import { useAddress } from '../../address.js'
import { readSearchRequest, writeSearchRequest, type SearchRequest } from './search-request.js'
import type { Part } from './part.js'

export interface SearchControls {
  request: SearchRequest
  /** The id of the record that is looked at. */
  opened?: string
  /** Changes what is searched for: a step of the history, unless it continues with the last one. */
  change(changes: Partial<SearchRequest>, options?: { replace?: boolean }): void
  add(part: Part): void
  /** Starts again with what is like a record. */
  moreLike(id: string): void
  open(id: string): void
  /** On to another record, while one is open. */
  turnTo(id: string): void
  close(): void
}

/** What is searched for, as the link has it, and the ways to change it. */
export function useSearchRequest(): SearchControls {
  const address = useAddress()
  const request = readSearchRequest(address)
  // Whether the step before in the history is the results that the record was opened from.
  const isOpenedHere = useRef(false)
  // The one that is being closed: going back takes a moment, in which closing again would go back further.
  const closing = useRef<string>()
  const opened = address.get('r') || undefined
  if (opened === undefined) isOpenedHere.current = false
  if (opened !== closing.current) closing.current = undefined
  const change: SearchControls['change'] = (changes, { replace = false } = {}) =>
    address.set(writeSearchRequest(changes), { replace })
  return {
    request,
    opened,
    change,
    add: (part) => change({ parts: [...request.parts, part] }),
    moreLike: (id) => change({ text: '', parts: [{ kind: 'record', value: id, weight: 1 }] }),
    open: (id) => {
      address.set({ r: id }, { replace: false })
      isOpenedHere.current = true
    },
    turnTo: (id) => address.set({ r: id }),
    close: () => {
      if (opened === closing.current) return
      closing.current = opened
      if (isOpenedHere.current) history.back()
      else address.set({ r: undefined })
    }
  }
}
