import { useEffect, useRef } from 'preact/hooks'
import { formatDate } from '../../format.js'
import { Icon } from '../../icon.js'
import { Picture } from '../../picture.js'
import { Problem } from '../../problem.js'
import { withValue } from './condition.js'
import { DetailActions } from './detail-actions.js'
import type { Found } from './find.js'
import { MetadataList } from './metadata-list.js'
import type { SearchControls } from './use-search-request.js'
import { useRecord, type StoredRecord } from './use-record.js'

interface DetailProps {
  controls: SearchControls
  collection: string
  found: Found[]
}

/** The record that is looked at, over the results; arrows turn to the one before and after. */
export function Detail({ controls, collection, found }: DetailProps) {
  const { opened, close, turnTo } = controls
  const dialog = useRef<HTMLDialogElement>(null)
  const { record, problem } = useRecord(collection, opened)
  useEffect(() => {
    if (opened === undefined) dialog.current?.close()
    else if (!dialog.current?.open) dialog.current?.showModal()
  }, [opened])
  // Arrows continue when what had the focus has gone with the record before.
  useEffect(() => {
    if (opened !== undefined && !dialog.current?.contains(document.activeElement)) dialog.current?.focus()
  }, [opened, record])
  const at = found.findIndex(({ id }) => id === opened)
  const [before, after] = at < 0 ? [] : [found[at - 1], found[at + 1]]
  const onKeyDown = ({ key, target }: KeyboardEvent) => {
    if (target instanceof HTMLInputElement) return
    const next = key === 'ArrowLeft' ? before : key === 'ArrowRight' ? after : undefined
    if (next) turnTo(next.id)
  }
  return (
    <dialog
      ref={dialog}
      class="dialog detail"
      tabIndex={-1}
      aria-label={record?.text || opened}
      onKeyDown={onKeyDown}
      onCancel={(event) => (event.preventDefault(), close())}
      onClick={({ target }) => target === dialog.current && close()}
    >
      {opened !== undefined && (
        <div class="detail-inside">
          <div class="detail-head">
            <button
              type="button"
              class="icon-button"
              aria-label="Result before"
              title="Result before (left arrow)"
              aria-disabled={!before}
              onClick={() => before && turnTo(before.id)}
            >
              <Icon name="back" />
            </button>
            <button
              type="button"
              class="icon-button"
              aria-label="Next result"
              title="Next result (right arrow)"
              aria-disabled={!after}
              onClick={() => after && turnTo(after.id)}
            >
              <Icon name="forward" />
            </button>
            <button
              type="button"
              class="icon-button"
              aria-label="Close"
              title="Close (Escape)"
              onClick={close}
            >
              <Icon name="close" />
            </button>
          </div>
          {problem !== undefined && <Problem message={problem} />}
          {record && <DetailBody record={record} score={found[at]?.score} controls={controls} />}
        </div>
      )}
    </dialog>
  )
}

function DetailBody({
  record,
  score,
  controls
}: {
  record: StoredRecord
  score?: number
  controls: SearchControls
}) {
  const { id, text, image_url: image, metadata } = record
  const { conditions } = controls.request
  return (
    <div class="detail-body" data-pictureless={!image || undefined}>
      {image && (
        <figure class="detail-picture">
          <Picture path={image} size="original" alt={text || `Picture of ${id}`} />
        </figure>
      )}
      <div class="detail-words">
        {text && <p class="detail-text">{text}</p>}
        <dl class="detail-facts">
          <div>
            <dt>id</dt>
            <dd class="mono">{id}</dd>
          </div>
          {score !== undefined && (
            <div>
              <dt>score</dt>
              <dd class="number">{score.toFixed(4)}</dd>
            </div>
          )}
          <div>
            <dt>holds</dt>
            <dd>
              {record.modalities
                .map((modality) => (modality === 'image' ? 'picture' : modality))
                .join(' and ')}
            </dd>
          </div>
          <div>
            <dt>changed</dt>
            <dd>
              <time dateTime={record.updated_at}>{formatDate(record.updated_at)}</time>
            </dd>
          </div>
        </dl>
        {metadata && Object.keys(metadata).length > 0 && (
          <MetadataList
            metadata={metadata}
            onValue={(field, value) =>
              controls.change({ conditions: withValue(conditions, field, { value, isWanted: true }) })
            }
          />
        )}
        <DetailActions record={record} controls={controls} key={id} />
      </div>
    </div>
  )
}
