import { signal, useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { call, isAbort } from '../../connection.js'

/** The picture that was dropped, pasted or chosen; it is still there after a look at another view. */
export const ownPicture = signal<File | undefined>()

/** The picture that is classified: that of the record in the link, else the own one. */
export function useSubject(
  collection: string | undefined,
  record: string
): { bytes: Blob | undefined; isLoading: boolean; error: unknown } {
  const fetched = useSignal<Blob | undefined>(undefined)
  const error = useSignal<unknown>(undefined)
  const isLoading = useSignal(false)
  useEffect(() => {
    error.value = undefined
    if (record === '' || collection === undefined) {
      fetched.value = undefined
      return
    }
    // The one before stays in sight until this one is there.
    isLoading.value = true
    const stop = new AbortController()
    call((client) =>
      client.get('/v1/collections/{collection}/records/{id}/image', {
        params: { path: { collection, id: record } },
        parseAs: 'blob',
        signal: stop.signal
      })
    )
      .then((blob) => {
        if (!stop.signal.aborted) fetched.value = blob as Blob
      })
      .catch((thrown) => {
        if (stop.signal.aborted || isAbort(thrown)) return
        fetched.value = undefined
        error.value = thrown
      })
      .finally(() => {
        if (!stop.signal.aborted) isLoading.value = false
      })
    return () => stop.abort()
  }, [collection, record])
  return {
    bytes: record === '' ? ownPicture.value : fetched.value,
    isLoading: record !== '' && isLoading.value,
    error: error.value
  }
}

/** An address of bytes for an `img`, for as long as they are shown. */
export function useObjectUrl(bytes: Blob | undefined): string | undefined {
  const url = useSignal<string | undefined>(undefined)
  useEffect(() => {
    if (!bytes) return
    const made = URL.createObjectURL(bytes)
    url.value = made
    return () => {
      url.value = undefined
      URL.revokeObjectURL(made)
    }
  }, [bytes])
  return url.value
}
