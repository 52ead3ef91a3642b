import { useSignal } from '@preact/signals'
import { nameProblem } from '../../collection-name.js'
import { type Collection, collections, loadCollections } from '../../collections.js'
import { call } from '../../connection.js'
import { Dialog } from '../../dialog.js'
import { Failure } from '../../failure.js'
import { models } from '../../models.js'
import { useAction } from '../../use-action.js'
import { StorageChoice } from './storage-choice.js'

/** In place of a model. */
const BROUGHT_ALONG = ' none'

/** Settings of a graph: least, most, and what the service takes by itself. */
const HNSW = {
  m: { min: 2, max: 128, preset: 16, hint: 'links of a node' },
  ef_construction: { min: 8, max: 2000, preset: 200, hint: 'candidates while building' },
  ef_search: { min: 8, max: 10_000, preset: 128, hint: 'candidates while searching' }
}
type HnswName = keyof typeof HNSW

interface CreateDialogProps {
  onClose: () => void
  onCreated: (name: string) => void
}

/** Makes a collection. */
export function CreateDialog({ onClose, onCreated }: CreateDialogProps) {
  const name = useSignal('')
  const model = useSignal('')
  const dimension = useSignal(512)
  const storage = useSignal<Collection['storage']>('original')
  const hnsw = useSignal<Partial<Record<HnswName, number>>>({})
  const isBrought = model.value === BROUGHT_ALONG
  const create = useAction(async () => {
    const space = isBrought
      ? { model: null, dimension: dimension.value }
      : model.value === ''
        ? {}
        : { model: model.value }
    await call((client) =>
      client.put('/v1/collections/{collection}', {
        params: { path: { collection: name.value } },
        body: { ...space, storage: storage.value, hnsw: hnsw.value }
      })
    )
    await loadCollections()
    onCreated(name.value)
  })
  const problem = nameProblem(
    name.value,
    (collections.value ?? []).map((each) => each.name)
  )
  const isWrong = problem !== undefined && name.value !== ''
  return (
    <Dialog title="New collection" onClose={onClose} onSubmit={create.start}>
      <div class="field">
        <label class="field">
          <span>Name</span>
          <input
            autofocus
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            maxLength={64}
            value={name.value}
            aria-invalid={isWrong}
            aria-describedby="create-problem"
            onInput={({ currentTarget }) => (name.value = currentTarget.value)}
          />
        </label>
        <span id="create-problem" class={isWrong ? 'wrong' : undefined}>
          {isWrong ? problem : 'Small letters, digits, - and _'}
        </span>
      </div>
      <label class="field">
        <span>Model</span>
        <select value={model.value} onChange={({ currentTarget }) => (model.value = currentTarget.value)}>
          {(models.value ?? []).map((each, place) => (
            <option
              key={each.name}
              value={place === 0 ? '' : each.name}
            >{`${each.name} (${each.dimension} dimensions)`}</option>
          ))}
          <option value={BROUGHT_ALONG}>None: embeddings are supplied by clients</option>
        </select>
      </label>
      {isBrought && (
        <label class="field">
          <span>Their dimension</span>
          <input
            type="number"
            required
            min={1}
            max={8192}
            value={dimension.value}
            onInput={({ currentTarget }) => (dimension.value = currentTarget.valueAsNumber)}
          />
        </label>
      )}
      <StorageChoice value={storage.value} onChange={(value) => (storage.value = value)} />
      <HnswFields onChange={(field, value) => (hnsw.value = { ...hnsw.value, [field]: value })} />
      {create.error !== undefined && <Failure error={create.error} retry={create.start} />}
      <div class="dialog-end">
        <button type="button" onClick={onClose}>
          Cancel
        </button>
        <button type="submit" class="primary" disabled={problem !== undefined} aria-disabled={create.isBusy}>
          Create
        </button>
      </div>
    </Dialog>
  )
}

function HnswFields({ onChange }: { onChange: (field: HnswName, value: number) => void }) {
  return (
    <details class="hnsw">
      <summary>HNSW settings</summary>
      {(Object.keys(HNSW) as HnswName[]).map((field) => (
        <label key={field} class="field">
          <span>{`${field}: ${HNSW[field].hint}${field === 'ef_search' ? '' : '; fixed from then on'}`}</span>
          <input
            type="number"
            required
            min={HNSW[field].min}
            max={HNSW[field].max}
            defaultValue={String(HNSW[field].preset)}
            onInput={({ currentTarget }) => onChange(field, currentTarget.valueAsNumber)}
          />
        </label>
      ))}
    </details>
  )
}
