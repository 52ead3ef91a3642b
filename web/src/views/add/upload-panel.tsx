import { Link } from 'wouter-preact'
import { useAddress } from '../../address.js'
import { Failure } from '../../failure.js'
import { formatBytes, formatCount, formatNumber } from '../../format.js'
import { pausedUntil } from './send-patiently.js'
import { STATES, type UploadState } from './upload-list.js'
import { UploadRows } from './upload-rows.js'
import { retryFailed, stopUploads, uploadedTo, uploading, uploadProblem, uploads } from './uploads.js'

/** How far all of the files are, each of them, and the ways to continue. */
export function UploadPanel({ onStart }: { onStart: () => void }) {
  const address = useAddress()
  void uploads.version.value
  const { items, bytes, count } = uploads
  if (items.length === 0) return null
  const isRunning = uploading.value !== undefined
  const again = () => {
    retryFailed()
    onStart()
  }
  const only = STATES.find((state) => state === address.get('show') && count(state) > 0)
  return (
    <section class="card uploads" aria-label="Upload">
      <div class="upload-total">
        <p>
          <strong>
            {`${formatCount(count('created') + count('updated'))} of ` +
              `${formatNumber(items.length, 'file')}`}
          </strong>
          <span class="muted">{` ${formatBytes(bytes.sent)} of ${formatBytes(bytes.total)}`}</span>
        </p>
        <div class="row">
          {count('failed') > 0 && (
            <button type="button" onClick={again}>{`Try ${formatCount(count('failed'))} again`}</button>
          )}
          {isRunning ? (
            <button type="button" onClick={stopUploads}>
              Stop
            </button>
          ) : (
            <button type="button" onClick={uploads.clear}>
              Clear the list
            </button>
          )}
        </div>
      </div>
      <progress
        aria-label="All files"
        value={count('created') + count('updated') + count('failed')}
        max={items.length}
      />
      {isRunning && pausedUntil.value !== undefined && (
        <p class="muted" role="status">
          The service is busy. The upload continues automatically in a moment.
        </p>
      )}
      {uploadProblem.value !== undefined && <Failure error={uploadProblem.value} retry={onStart} />}
      <Outcome />
      <div class="row" role="group" aria-label="Which files are shown">
        <Filter state={undefined} isOn={only === undefined} count={items.length} />
        {STATES.filter((state) => count(state) > 0).map((state) => (
          <Filter key={state} state={state} isOn={only === state} count={count(state)} />
        ))}
      </div>
      <UploadRows
        items={only === undefined ? items : items.filter(({ state }) => state === only)}
        onAgain={(item) => {
          uploads.setState(item, 'queued')
          onStart()
        }}
      />
    </section>
  )
}

function Filter({ state, isOn, count }: { state: UploadState | undefined; isOn: boolean; count: number }) {
  const address = useAddress()
  return (
    <button
      type="button"
      class="quiet"
      aria-pressed={isOn}
      onClick={() => address.set({ show: state })}
    >{`${state ?? 'all'} ${formatCount(count)}`}</button>
  )
}

/** What became of all of it, when nothing is under way; said aloud once. */
function Outcome() {
  const { count } = uploads
  const done = count('created') + count('updated')
  const isOver = uploading.value === undefined && uploadedTo.value !== undefined && done + count('failed') > 0
  return (
    <div role="status" class="outcome">
      {isOver && (
        <>
          <span>
            {`${formatCount(count('created'))} created, ${formatCount(count('updated'))} updated, ` +
              `${formatCount(count('failed'))} failed`}
          </span>
          {done > 0 && (
            <Link class="button" href={`/?c=${uploadedTo.value}`}>{`Search ${uploadedTo.value}`}</Link>
          )}
        </>
      )}
    </div>
  )
}
