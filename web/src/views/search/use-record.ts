import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Answer } from '../../../../src/client/client.js'
import { apiKey, call, isAbort, messageOf } from '../../connection.js'

export type StoredRecord = Answer<'/v1/collections/{collection}/records/{id}', 'get'>

/** A record by its id, once it is there, or why it is not. */
export function useRecord(
  collection: string,
  id: string | undefined
): { record?: StoredRecord; problem?: string } {
  const state = useSignal<{ record?: StoredRecord; problem?: string }>({})
  useEffect(() => {
    state.value = {}
    if (id === undefined) return
    const stop = new AbortController()
    call((client) =>
      client.get('/v1/collections/{collection}/records/{id}', {
        params: { path: { collection, id } },
        signal: stop.signal
      })
    ).then(
      (record) => {
        if (!stop.signal.aborted) state.value = { record }
      },
      (error: unknown) => {
        if (!stop.signal.aborted && !isAbort(error)) state.value = { problem: messageOf(error) }
      }
    )
    return () => stop.abort()
  }, [collection, id, apiKey.value])
  return state.value
}
