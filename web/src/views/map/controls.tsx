import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Answer } from '../../../../src/client/client.js'
import { useAddress } from '../../address.js'
import type { Collection } from '../../collections.js'
import { call } from '../../connection.js'
import { LONG_PAUSE_MS, useTyped } from '../../use-typed.js'
import type { Target } from './neighbors.js'

/** Records that are laid out, at most. */
export const SIZES = [2000, 10_000, 50_000, 100_000]

type Field = Answer<'/v1/collections/{collection}/facets', 'get'>['fields'][number]

/** What is laid out, and by what it is coloured. */
export function Controls({
  collection,
  target,
  size,
  known
}: {
  collection: string | undefined
  target: Target
  size: number
  known: Collection | undefined
}) {
  const address = useAddress()
  const fields = useFields(collection)
  const prompt = useTyped(address.get('prompt'), (text) => address.set({ prompt: text }), {
    pauseMs: LONG_PAUSE_MS
  })
  const most = target === 'image' ? known?.images : known?.texts
  const sizes = SIZES.filter(
    (each, at) => at === 0 || each === size || most === undefined || SIZES[at - 1] < most
  )
  return (
    <div class="map-controls">
      <label class="field">
        <span>Lay out</span>
        <select
          value={target}
          onChange={({ currentTarget }) => address.set({ target: currentTarget.value, at: undefined })}
        >
          <option value="image">pictures</option>
          <option value="text">texts</option>
        </select>
      </label>
      <label class="field">
        <span>Records</span>
        <select
          value={size}
          onChange={({ currentTarget }) => address.set({ sample: currentTarget.value, at: undefined })}
        >
          {sizes.map((each) => (
            <option key={each} value={each}>{`up to ${each.toLocaleString('en')}`}</option>
          ))}
        </select>
      </label>
      <label class="field">
        <span>Colour by</span>
        <select
          value={address.get('field')}
          disabled={address.get('prompt') !== ''}
          onChange={({ currentTarget }) => address.set({ field: currentTarget.value, only: undefined })}
        >
          <option value="">nothing</option>
          {fields.map(({ field, distinct }) => (
            <option key={field} value={field}>{`${field} (${distinct.toLocaleString('en')} values)`}</option>
          ))}
        </select>
      </label>
      <label class="field map-prompt">
        <span>Colour by likeness to</span>
        <input
          type="search"
          placeholder={
            known?.model === null ? 'needs a collection with a model' : 'a text, as “something to eat”'
          }
          value={prompt.text}
          disabled={known?.model === null}
          onInput={({ currentTarget }) => prompt.type(currentTarget.value)}
          onBlur={prompt.settle}
          onKeyDown={({ key }) => key === 'Enter' && prompt.settle()}
        />
      </label>
    </div>
  )
}

/** Fields of the metadata that more than one record shares a value of. */
function useFields(collection: string | undefined): Field[] {
  const fields = useSignal<Field[]>([])
  useEffect(() => {
    fields.value = []
    if (collection === undefined) return
    const stop = new AbortController()
    // Without them the map is still one.
    call((client) =>
      client.get('/v1/collections/{collection}/facets', {
        params: { path: { collection }, query: { limit: 1 } },
        signal: stop.signal
      })
    ).then(
      (answer) => (fields.value = answer.fields),
      () => {}
    )
    return () => stop.abort()
  }, [collection])
  return fields.value
}
