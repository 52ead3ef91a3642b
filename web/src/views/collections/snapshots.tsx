import { useSignal } from '@preact/signals'
import { Fragment } from 'preact'
import type { Answer } from '../../../../src/client/client.js'
import { type Collection, loadCollections } from '../../collections.js'
import { call } from '../../connection.js'
import { Failure } from '../../failure.js'
import { formatBytes, formatDate, formatNumber } from '../../format.js'
import { useAction } from '../../use-action.js'

type Made = Answer<'/v1/collections/{collection}/snapshot', 'post'>['snapshots']

/** The snapshots of a collection's graphs, and making them now. */
export function Snapshots({ collection: { name, snapshots } }: { collection: Collection }) {
  const made = useSignal<Made | undefined>(undefined)
  const make = useAction(async () => {
    made.value = undefined
    made.value = (
      await call((client) =>
        client.post('/v1/collections/{collection}/snapshot', { params: { path: { collection: name } } })
      )
    ).snapshots
    await loadCollections()
  })
  return (
    <>
      <p class="hint">
        The next start reads the graphs from these, and builds nothing. Records are safe without them.
      </p>
      {snapshots.length > 0 ? (
        <dl class="facts">
          {snapshots.map(({ modality, created_at: createdAt, bytes }) => (
            <Fragment key={modality}>
              <dt>{modality}</dt>
              <dd>
                <time dateTime={createdAt}>{formatDate(createdAt)}</time>
                {`, ${formatBytes(bytes)}`}
              </dd>
            </Fragment>
          ))}
        </dl>
      ) : (
        <p class="muted">None was made yet.</p>
      )}
      {make.error !== undefined && <Failure error={make.error} retry={make.start} />}
      <div class="row">
        <button type="button" aria-disabled={make.isBusy} onClick={make.start}>
          {make.isBusy ? 'Writing' : 'Snapshot now'}
        </button>
        <span class="muted" role="status">
          {made.value &&
            (made.value.length === 0
              ? 'Nothing to write: the collection is empty.'
              : made.value
                  .map(
                    ({ modality, records, took_ms: ms }) =>
                      `${modality}: ${formatNumber(records, 'record')} in ${Math.round(ms)} ms`
                  )
                  .join(', '))}
        </span>
      </div>
    </>
  )
}
