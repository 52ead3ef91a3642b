import { useSignal } from '@preact/signals'
import type { Collection } from '../../collections.js'
import { Failure } from '../../failure.js'
import { formatDate, formatNumber } from '../../format.js'
import { models } from '../../models.js'
import { useAction } from '../../use-action.js'
import { cancelJob, jobs, startReindex, type Job } from './jobs.js'

/** Records that are named of those that can't be encoded again. */
const NAMED = 20

/** Encoding a collection again: begun here, followed wherever it was begun. */
export function Reindex({ collection }: { collection: Collection }) {
  if (collection.model === null)
    return <p class="muted">This collection has no model: its embeddings are supplied by clients.</p>
  const latest = jobs.value.find((job) => job.collection === collection.name)
  return (
    <>
      <p class="hint">
        Runs in the background: kept pictures and texts are encoded again while the old embeddings keep
        serving, until the new ones replace them at once. It survives restarts.
      </p>
      {latest && (latest.state === 'running' ? <Running job={latest} /> : <Ended job={latest} />)}
      {latest?.state !== 'running' && <ReindexForm collection={collection} />}
    </>
  )
}

function Running({
  job: {
    id,
    model,
    progress: { done, total }
  }
}: {
  job: Job
}) {
  const cancel = useAction(() => cancelJob(id))
  return (
    <div class="job">
      <label>
        <span>{`With ${model}: ${done.toLocaleString('en')} of ${formatNumber(total, 'record')}`}</span>
        <progress value={total === 0 ? undefined : done} max={Math.max(total, 1)} />
      </label>
      <button type="button" aria-disabled={cancel.isBusy} onClick={cancel.start}>
        Cancel
      </button>
      {cancel.error !== undefined && <Failure error={cancel.error} retry={cancel.start} />}
    </div>
  )
}

const OUTCOMES = { done: 'Done', failed: 'Failed', cancelled: 'Cancelled', running: 'Running' }

function Ended({ job: { state, model, error, missing, ended_at: endedAt } }: { job: Job }) {
  return (
    <div class="job-end">
      <p role="status" class={state === 'failed' ? 'wrong' : undefined}>
        <strong>{OUTCOMES[state]}</strong>
        {` with ${model}${endedAt ? `, ${formatDate(endedAt)}` : ''}${error ? `: ${error.message}` : ''}`}
      </p>
      {missing.count > 0 && (
        <details>
          <summary>{`${formatNumber(missing.count, 'embedding')} that can't be computed again`}</summary>
          <ul>
            {missing.records.slice(0, NAMED).map(({ id, modality, reason }) => (
              <li key={`${modality} ${id}`}>
                <code>{id}</code>
                {` (${modality}): ${reason}`}
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  )
}

function ReindexForm({ collection }: { collection: Collection }) {
  const known = models.value ?? []
  // The one that it is not made with yet, where there is one.
  const first = known.find(({ fingerprint }) => fingerprint !== collection.fingerprint) ?? known[0]
  const chosen = useSignal<string | undefined>(undefined)
  const skipMissing = useSignal(false)
  const model = chosen.value ?? first?.name
  const start = useAction(() => startReindex(collection.name, { model, skip_missing: skipMissing.value }))
  return (
    <form
      class="settings"
      onSubmit={(event) => {
        event.preventDefault()
        start.start()
      }}
    >
      <label class="field">
        <span>Model</span>
        <select value={model} onChange={({ currentTarget }) => (chosen.value = currentTarget.value)}>
          {known.map(({ name, fingerprint }) => (
            <option key={name} value={name}>
              {fingerprint === collection.fingerprint ? `${name} (as it is)` : name}
            </option>
          ))}
        </select>
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={skipMissing.value}
          onChange={({ currentTarget }) => (skipMissing.value = currentTarget.checked)}
        />{' '}
        Go on without pictures that were not kept
      </label>
      {start.error !== undefined && <Failure error={start.error} retry={start.start} />}
      <div>
        <button type="submit" disabled={model === undefined} aria-disabled={start.isBusy}>
          Re-index
        </button>
      </div>
    </form>
  )
}
