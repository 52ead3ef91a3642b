import { useSignal } from '@preact/signals'
import { useAddress } from '../../address.js'
import { messageOf } from '../../connection.js'
import { Icon } from '../../icon.js'
import { savePicture } from './save-picture.js'
import type { SearchControls } from './use-search-request.js'
import type { StoredRecord } from './use-record.js'

/** What one can do with a record that is looked at. */
export function DetailActions({
  record: { id, text, image_url: image },
  controls
}: {
  record: StoredRecord
  controls: SearchControls
}) {
  const { isCut } = useAddress()
  const said = useSignal('')
  const link = useSignal<string | undefined>(undefined)
  const add = (weight: number) => controls.add({ kind: 'record', value: id, weight })
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(location.href)
      said.value = controls.request.parts.some(({ kind }) => kind === 'image')
        ? 'Copied. The dropped picture is not in the link.'
        : isCut
          ? 'Copied. The link leaves out a part of the search.'
          : 'Copied.'
    } catch {
      // Pages without TLS may not write to the clipboard.
      link.value = location.href
    }
  }
  const save = () =>
    savePicture(image!, text || id).catch((error: unknown) => (said.value = messageOf(error)))
  return (
    <div class="detail-actions">
      <button type="button" class="primary" onClick={() => controls.moreLike(id)}>
        <Icon name="similar" /> More like this
      </button>
      <button type="button" title="Add it to the query" onClick={() => add(1)}>
        <Icon name="add" /> Add
      </button>
      <button type="button" title="Lead the query away from it" onClick={() => add(-1)}>
        <Icon name="minus" /> Away
      </button>
      <button type="button" onClick={copy}>
        <Icon name="link" /> Copy link
      </button>
      {image && (
        <button type="button" onClick={save}>
          <Icon name="download" /> Download
        </button>
      )}
      {link.value !== undefined && (
        <input
          class="mono"
          readOnly
          aria-label="Link"
          value={link.value}
          onFocus={({ currentTarget }) => currentTarget.select()}
        />
      )}
      <p class="muted" role="status">
        {said.value}
      </p>
    </div>
  )
}
