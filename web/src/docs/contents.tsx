import { useSignal } from '@preact/signals'
import { useId } from 'preact/hooks'
import type { Group, Place } from './description.js'

/** Links to all calls, found by words. */
export function Contents({ groups, onChosen }: { groups: Group[]; onChosen?: () => void }) {
  const id = useId()
  const wanted = useSignal('')
  const words = wanted.value.toLowerCase().split(/\s+/).filter(Boolean)
  const fits = ({ operation, method, path }: Place) =>
    words.every((word) =>
      `${operation.summary} ${operation.operationId} ${method} ${path}`.toLowerCase().includes(word)
    )
  const shown = groups
    .map((group) => ({ ...group, places: group.places.filter(fits) }))
    .filter(({ places }) => places.length > 0)
  return (
    <nav class="contents" aria-label="Calls">
      <label class="visually-hidden" for={id}>
        Find a call
      </label>
      <input
        id={id}
        type="search"
        placeholder="Find a call"
        value={wanted.value}
        onInput={({ currentTarget }) => (wanted.value = currentTarget.value)}
      />
      {shown.map(({ name, places }) => (
        <div key={name}>
          <h2>{name}</h2>
          <ul>
            {places.map(({ operation, method }) => (
              <li key={operation.operationId}>
                <a href={`#${operation.operationId}`} onClick={onChosen}>
                  <span class={`method ${method.toLowerCase()}`}>{method}</span>{' '}
                  <span>{operation.summary}</span>
                </a>
              </li>
            ))}
          </ul>
        </div>
      ))}
      {words.length === 0 && (
        <a href="#errors" onClick={onChosen}>
          Errors
        </a>
      )}
      <p class="visually-hidden" role="status">
        {words.length > 0 ? `${shown.reduce((sum, { places }) => sum + places.length, 0)} calls` : ''}
      </p>
    </nav>
  )
}
