import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Answer } from '../../../../src/client/client.js'
import { call, isAbort } from '../../connection.js'
import { Picture } from '../../picture.js'

type Page = Answer<'/v1/collections/{collection}/records', 'get'>

const SHOWN = 8

interface RecordStripProps {
  collection: string
  /** The record whose picture is classified. */
  current: string
  onChoose: (id: string) => void
}

/** Pictures of a collection to begin with, a few at a time. */
export function RecordStrip({ collection, current, onChoose }: RecordStripProps) {
  const page = useSignal<Page | undefined>(undefined)
  const cursor = useSignal<string | undefined>(undefined)
  useEffect(() => {
    cursor.value = undefined
    page.value = undefined
  }, [collection])
  useEffect(() => {
    const stop = new AbortController()
    const query = { limit: SHOWN, ...(cursor.value && { cursor: cursor.value }) }
    call((client) =>
      client.get('/v1/collections/{collection}/records', {
        params: { path: { collection }, query },
        signal: stop.signal
      })
    )
      .then((answer) => {
        if (!stop.signal.aborted) page.value = answer
      })
      // An offer only: without it a picture is dropped.
      .catch((error) => isAbort(error) || (page.value = undefined))
    return () => stop.abort()
  }, [collection, cursor.value])
  const pictures = (page.value?.records ?? []).filter(({ image_url: url }) => url !== null)
  if (pictures.length === 0 && cursor.value === undefined) return null
  return (
    <section class="record-strip" aria-label={`Pictures of ${collection}`}>
      <h2 class="muted">
        Or one of <strong>{collection}</strong>
      </h2>
      <ul>
        {pictures.map(({ id, text, image_url: url }) => (
          <li key={id}>
            <button
              type="button"
              title={text ?? id}
              aria-label={text ?? id}
              aria-pressed={id === current}
              onClick={() => onChoose(id)}
            >
              <Picture path={url!} alt="" />
            </button>
          </li>
        ))}
      </ul>
      {(page.value?.next_cursor || cursor.value) && (
        <button
          type="button"
          class="quiet"
          onClick={() => (cursor.value = page.value?.next_cursor ?? undefined)}
        >
          {page.value?.next_cursor ? 'Others' : 'From the first'}
        </button>
      )}
    </section>
  )
}
