import './add.css'
import { useSignal } from '@preact/signals'
import { useAddress, useCollectionName } from '../../address.js'
import { nameProblem } from '../../collection-name.js'
import { collections } from '../../collections.js'
import { Destination } from './destination.js'
import { ensureCollection } from './ensure-collection.js'
import { PictureForm } from './picture-form.js'
import { TextForm } from './text-form.js'

const KINDS = [
  { kind: '', name: 'Pictures' },
  { kind: 'text', name: 'A text' }
]

/** Pictures and texts into a collection. */
export function AddView() {
  const address = useAddress()
  const kind = address.get('kind')
  const current = useCollectionName()
  const known = (collections.value ?? []).map(({ name }) => name)
  const wantsNew = useSignal(address.get('new') !== '')
  // One that the link names and that is not there is to be made; where there is none at all, too.
  const missing = collections.value !== undefined && (current === undefined || !known.includes(current))
  const isNew = wantsNew.value || missing
  const name = wantsNew.value ? address.get('new') : (current ?? '')
  const isReady = isNew ? nameProblem(name, known) === undefined : known.includes(name)
  const prepare = async () => {
    if (!isNew) return
    await ensureCollection(name)
    wantsNew.value = false
    address.set({ c: name, new: undefined })
  }
  const choose = (to: { name: string; isNew: boolean }) => {
    wantsNew.value = to.isNew
    address.set(to.isNew ? { new: to.name } : { c: to.name, new: undefined })
  }
  const Form = kind === 'text' ? TextForm : PictureForm
  return (
    <>
      <div class="row add-head">
        <h1>Add</h1>
        <div class="row" role="group" aria-label="What is added">
          {KINDS.map((each) => (
            <button
              key={each.kind}
              type="button"
              aria-pressed={each.kind === kind}
              onClick={() => address.set({ kind: each.kind })}
            >
              {each.name}
            </button>
          ))}
        </div>
      </div>
      <Form collection={name} isReady={isReady} prepare={prepare}>
        <Destination name={name} isNew={isNew} onChange={choose} />
      </Form>
    </>
  )
}
