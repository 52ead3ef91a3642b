import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Answer } from '../../../../src/client/client.js'
import { call } from '../../connection.js'
import { Picture } from '../../picture.js'

type StoredRecord = Answer<'/v1/collections/{collection}/records/{id}', 'get'>

/** How long the pointer rests on a point until its record is asked for, in milliseconds. */
const REST_MS = 60

/** A record's picture and text, small. */
export function RecordCard({ collection, id }: { collection: string; id: string }) {
  const record = useSignal<StoredRecord | undefined>(undefined)
  useEffect(() => {
    record.value = undefined
    const stop = new AbortController()
    const timer = setTimeout(() => {
      // What can't be shown is named by its id.
      call((client) =>
        client.get('/v1/collections/{collection}/records/{id}', {
          params: { path: { collection, id } },
          signal: stop.signal
        })
      ).then(
        (found) => (record.value = found),
        () => {}
      )
    }, REST_MS)
    return () => {
      clearTimeout(timer)
      stop.abort()
    }
  }, [collection, id])
  const { image_url: path = null, text = null } = record.value ?? {}
  return (
    <>
      {path !== null && <Picture path={path} alt={text ?? ''} />}
      <span class="map-card-text">{text ?? id}</span>
    </>
  )
}
