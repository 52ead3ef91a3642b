import { useRef } from 'preact/hooks'
import { Icon } from '../../icon.js'
import { describe, withCondition, type Condition } from './condition.js'
import { FilterPanel } from './filter-panel.js'
import type { Facet } from './use-facets.js'

interface FiltersProps {
  facets: Facet[]
  conditions: Condition[]
  onChange: (conditions: Condition[]) => void
}

/** The filters beside the results. */
export function FilterAside({ facets, conditions, onChange }: FiltersProps) {
  if (facets.length === 0) return null
  return (
    <aside class="filter-aside" aria-label="Filters">
      <FilterPanel facets={facets} conditions={conditions} onChange={onChange} />
    </aside>
  )
}

/** The same filters in a dialog, where the window is too narrow for both. */
export function FilterDrawer({ facets, conditions, onChange }: FiltersProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  if (facets.length === 0) return null
  return (
    <>
      <button
        type="button"
        class="filter-button"
        aria-haspopup="dialog"
        onClick={() => dialog.current?.showModal()}
      >
        <Icon name="filter" />
        <span>{conditions.length > 0 ? `Filters (${conditions.length})` : 'Filters'}</span>
      </button>
      <dialog
        ref={dialog}
        class="dialog drawer"
        aria-labelledby="filters-title"
        onClick={({ target }) => target === dialog.current && dialog.current?.close()}
      >
        <div class="drawer-head">
          <h2 id="filters-title">Filters</h2>
          <button
            type="button"
            class="icon-button"
            aria-label="Close"
            onClick={() => dialog.current?.close()}
          >
            <Icon name="close" />
          </button>
        </div>
        <FilterPanel facets={facets} conditions={conditions} onChange={onChange} />
        <div class="drawer-end">
          {conditions.length > 0 && (
            <button type="button" onClick={() => onChange([])}>
              Clear
            </button>
          )}
          <button type="button" class="primary" onClick={() => dialog.current?.close()}>
            Show results
          </button>
        </div>
      </dialog>
    </>
  )
}

/** The filters that are set, each to be taken out again. */
export function FilterChips({ conditions, onChange }: Omit<FiltersProps, 'facets'>) {
  if (conditions.length === 0) return null
  return (
    <ul class="filter-chips" aria-label="Filters that are set">
      {conditions.map((condition) => (
        <li key={condition.field}>
          <button
            type="button"
            class="filter-chip"
            title="Remove this filter"
            onClick={() => onChange(withCondition(conditions, condition.field, []))}
          >
            <span class="visually-hidden">Remove the filter </span>
            <span>{describe(condition)}</span>
            <Icon name="close" />
          </button>
        </li>
      ))}
      {conditions.length > 1 && (
        <li>
          <button type="button" class="link-button" onClick={() => onChange([])}>
            Clear all
          </button>
        </li>
      )}
    </ul>
  )
}
