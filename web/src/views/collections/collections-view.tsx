import './collections.css'
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { useAddress, useCollectionName } from '../../address.js'
import { collections } from '../../collections.js'
import { apiKey } from '../../connection.js'
import { Failure } from '../../failure.js'
import { Icon } from '../../icon.js'
import { loadModels } from '../../models.js'
import { Problem } from '../../problem.js'
import { CollectionDetail } from './collection-detail.js'
import { CollectionList } from './collection-list.js'
import { CreateDialog } from './create-dialog.js'
import { DropDialog } from './drop-dialog.js'
import { loadJobs } from './jobs.js'
import { useJobs } from './use-jobs.js'

/** The collections of the service: what they are, and all that is done to them as wholes. */
export function CollectionsView() {
  const address = useAddress()
  const name = useCollectionName()
  const problem = useSignal<unknown>(undefined)
  const load = async () => {
    problem.value = undefined
    await Promise.all([loadModels(), loadJobs()]).catch((error) => (problem.value = error))
  }
  useEffect(() => void load(), [apiKey.value])
  useJobs(name)
  const known = collections.value
  const current = known?.find((each) => each.name === name)
  const close = () => address.set({ do: undefined })
  return (
    <>
      <div class="row collections-head">
        <h1>Collections</h1>
        <button type="button" class="primary" onClick={() => address.set({ do: 'create' })}>
          <Icon name="add" />
          New collection
        </button>
      </div>
      {problem.value !== undefined && <Failure error={problem.value} retry={() => void load()} />}
      {known?.length === 0 && (
        <p class="empty">There are no collections yet. Create one, then add pictures to it.</p>
      )}
      <div class="collections">
        {known && known.length > 0 && <CollectionList collections={known} current={name} />}
        {current && <CollectionDetail collection={current} onDrop={() => address.set({ do: 'drop' })} />}
        {known && known.length > 0 && !current && <Problem message={`There is no collection '${name}'.`} />}
      </div>
      {address.get('do') === 'create' && (
        <CreateDialog onClose={close} onCreated={(created) => address.set({ c: created, do: undefined })} />
      )}
      {address.get('do') === 'drop' && current && (
        <DropDialog
          collection={current}
          onClose={close}
          onDropped={() => address.set({ c: undefined, do: undefined })}
        />
      )}
    </>
  )
}
