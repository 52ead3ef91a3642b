import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { type Collection, loadCollections } from '../../collections.js'
import { call } from '../../connection.js'
import { Failure } from '../../failure.js'
import { useAction } from '../../use-action.js'
import { StorageChoice } from './storage-choice.js'

/** The settings that a collection may change: the others are for its whole life. */
export function SettingsForm({ collection: { name, hnsw, storage } }: { collection: Collection }) {
  const efSearch = useSignal(hnsw.ef_search)
  const kept = useSignal(storage)
  // Another may change them, too.
  useEffect(() => {
    efSearch.value = hnsw.ef_search
    kept.value = storage
  }, [hnsw.ef_search, storage])
  const save = useAction(async () => {
    await call((client) =>
      client.put('/v1/collections/{collection}', {
        params: { path: { collection: name } },
        body: { hnsw: { ef_search: efSearch.value }, storage: kept.value }
      })
    )
    await loadCollections()
  })
  const isChanged = efSearch.value !== hnsw.ef_search || kept.value !== storage
  return (
    <form
      class="settings"
      onSubmit={(event) => {
        event.preventDefault()
        if (isChanged) save.start()
      }}
    >
      <label class="field">
        <span>ef_search: candidates while searching. More is slower and finds more</span>
        <input
          type="number"
          min={8}
          max={10_000}
          required
          value={efSearch.value}
          onInput={({ currentTarget }) => (efSearch.value = currentTarget.valueAsNumber)}
        />
      </label>
      <StorageChoice value={kept.value} onChange={(value) => (kept.value = value)} />
      {kept.value !== storage && (
        <p class="hint">It goes for pictures from now on; those that are there stay as they are.</p>
      )}
      {save.error !== undefined && <Failure error={save.error} retry={save.start} />}
      <div>
        <button type="submit" aria-disabled={!isChanged || save.isBusy}>
          Save
        </button>
      </div>
    </form>
  )
}
