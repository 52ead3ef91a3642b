import { useSignal } from '@preact/signals'
import { type Collection, loadCollections } from '../../collections.js'
import { call } from '../../connection.js'
import { Dialog } from '../../dialog.js'
import { Failure } from '../../failure.js'
import { formatNumber } from '../../format.js'
import { useAction } from '../../use-action.js'

interface DropDialogProps {
  collection: Collection
  onClose: () => void
  onDropped: () => void
}

/** Drops a collection, once its name was typed. */
export function DropDialog({ collection: { name, records }, onClose, onDropped }: DropDialogProps) {
  const typed = useSignal('')
  const drop = useAction(async () => {
    await call((client) =>
      client.delete('/v1/collections/{collection}', { params: { path: { collection: name } } })
    )
    await loadCollections()
    onDropped()
  })
  return (
    <Dialog title={`Drop ${name}`} onClose={onClose} onSubmit={drop.start}>
      <p>{`${formatNumber(records, 'record')} and the kept pictures are gone for good. Backups stay.`}</p>
      <label class="field">
        <span>Type its name</span>
        <input
          autofocus
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          value={typed.value}
          onInput={({ currentTarget }) => (typed.value = currentTarget.value)}
        />
      </label>
      {drop.error !== undefined && <Failure error={drop.error} retry={drop.start} />}
      <div class="dialog-end">
        <button type="button" onClick={onClose}>
          Cancel
        </button>
        <button type="submit" class="danger" disabled={typed.value !== name} aria-disabled={drop.isBusy}>
          Drop it
        </button>
      </div>
    </Dialog>
  )
}
