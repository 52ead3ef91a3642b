import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { Answer } from '../../../../src/client/client.js'
import { call, isAbort } from '../../connection.js'
import { Failure } from '../../failure.js'
import { formatBytes, formatDate, formatNumber } from '../../format.js'
import { useAction } from '../../use-action.js'
import { Download } from './download.js'

type Backup = Answer<'/v1/collections/{collection}/backups', 'get'>['backups'][number]

/** The backups of a collection: made, fetched and removed. */
export function Backups({ collection }: { collection: string }) {
  const backups = useSignal<Backup[] | undefined>(undefined)
  const problem = useSignal<unknown>(undefined)
  const load = async (signal?: AbortSignal) => {
    try {
      problem.value = undefined
      backups.value = (
        await call((client) =>
          client.get('/v1/collections/{collection}/backups', { params: { path: { collection } }, signal })
        )
      ).backups
    } catch (error) {
      if (!isAbort(error)) problem.value = error
    }
  }
  useEffect(() => {
    const stop = new AbortController()
    void load(stop.signal)
    return () => stop.abort()
  }, [collection])
  return (
    <>
      <p class="hint">
        One file of records, embeddings, kept pictures and settings as they are at one moment. They outlive
        their collection.
      </p>
      {problem.value !== undefined && <Failure error={problem.value} retry={() => void load()} />}
      {backups.value && backups.value.length > 0 && (
        <ul class="backups">
          {backups.value.map((backup) => (
            <BackupRow key={backup.name} backup={backup} onRemoved={() => void load()} />
          ))}
        </ul>
      )}
      {backups.value?.length === 0 && <p class="muted">None was made yet.</p>}
      <MakeBackup collection={collection} onMade={() => void load()} />
    </>
  )
}

function BackupRow({ backup, onRemoved }: { backup: Backup; onRemoved: () => void }) {
  const { name, collection, bytes, records, images, lost_images: lost, created_at: createdAt } = backup
  const isSure = useSignal(false)
  const path = `/v1/collections/${collection}/backups/${encodeURIComponent(name)}`
  const remove = useAction(async () => {
    await call((client) =>
      client.delete('/v1/collections/{collection}/backups/{name}', { params: { path: { collection, name } } })
    )
    onRemoved()
  })
  return (
    <li>
      <div class="backup-name">
        <strong>{name}</strong>
        <small class="muted">
          <time dateTime={createdAt}>{formatDate(createdAt)}</time>
          {` · ${formatBytes(bytes)} · `}
          {`${formatNumber(records, 'record')}, ${formatNumber(images, 'picture')}`}
        </small>
        {lost > 0 && (
          <small class="wrong">
            {`Without ${formatNumber(lost, 'picture')} whose file was gone or damaged`}
          </small>
        )}
      </div>
      <Download path={path} fileName={`${collection}-${name}.sqlite`} label={`Download ${name}`}>
        Download
      </Download>
      {isSure.value ? (
        <span class="row">
          <button type="button" class="danger" aria-disabled={remove.isBusy} onClick={remove.start}>
            Really delete
          </button>
          <button type="button" onClick={() => (isSure.value = false)}>
            Keep
          </button>
        </span>
      ) : (
        <button type="button" aria-label={`Delete ${name}`} onClick={() => (isSure.value = true)}>
          Delete
        </button>
      )}
      {remove.error !== undefined && <Failure error={remove.error} retry={remove.start} />}
    </li>
  )
}

function MakeBackup({ collection, onMade }: { collection: string; onMade: () => void }) {
  const name = useSignal('')
  const stop = useRef(new AbortController())
  const make = useAction(async () => {
    stop.current = new AbortController()
    const body = name.value === '' ? {} : { name: name.value }
    await call((client) =>
      client.post('/v1/collections/{collection}/backups', {
        params: { path: { collection } },
        body,
        signal: stop.current.signal
      })
    )
    name.value = ''
    onMade()
  })
  return (
    <form
      class="row"
      onSubmit={(event) => {
        event.preventDefault()
        make.start()
      }}
    >
      <input
        aria-label="Name of the backup"
        placeholder="name, else the time"
        maxLength={64}
        autocapitalize="none"
        spellcheck={false}
        value={name.value}
        onInput={({ currentTarget }) => (name.value = currentTarget.value)}
      />
      <button type="submit" aria-disabled={make.isBusy}>
        {make.isBusy ? 'Writing' : 'Make a backup'}
      </button>
      {make.isBusy && (
        <button type="button" onClick={() => stop.current.abort()}>
          Stop
        </button>
      )}
      {make.error !== undefined && <Failure error={make.error} retry={make.start} />}
    </form>
  )
}
