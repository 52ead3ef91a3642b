import { useSignal } from '@preact/signals'
import type { Scalar } from './condition.js'
import type { Facet } from './use-facets.js'

/** Values that are shown before one asks for more. */
const SHOWN = 7
/** From so many values on one can look for one by its letters. */
const MANY = 20

interface ValueFilterProps {
  facet: Facet
  wanted: Scalar[]
  onChange: (value: Scalar, isWanted: boolean) => void
}

/** A field's values with how many records hold each, those that most hold first. */
export function ValueFilter({ facet: { field, values, distinct }, wanted, onChange }: ValueFilterProps) {
  const showsAll = useSignal(false)
  const letters = useSignal('')
  // What the link wants stays in sight, whether it was counted or not.
  const uncounted = wanted
    .filter((value) => !values.some((each) => each.value === value))
    .map((value) => ({ value, records: undefined }))
  const matching = values.filter(({ value }) =>
    String(value).toLowerCase().includes(letters.value.toLowerCase())
  )
  const shown = showsAll.value
    ? matching
    : matching.filter(({ value }, at) => at < SHOWN || wanted.includes(value))
  return (
    <>
      {showsAll.value && values.length >= MANY && (
        <input
          type="search"
          class="quiet"
          placeholder="Find a value"
          aria-label={`Find a value of ${field}`}
          value={letters.value}
          onInput={({ currentTarget }) => (letters.value = currentTarget.value)}
        />
      )}
      <ul class="values">
        {[...uncounted, ...shown].map(({ value, records }) => (
          <li key={String(value)}>
            <label class="check">
              <input
                type="checkbox"
                checked={wanted.includes(value)}
                onChange={({ currentTarget }) => onChange(value, currentTarget.checked)}
              />
              <span class="value-name">{String(value)}</span>
              {records !== undefined && <span class="muted number">{records.toLocaleString('en')}</span>}
            </label>
          </li>
        ))}
      </ul>
      {matching.length > SHOWN && (
        <button
          type="button"
          class="link-button"
          aria-expanded={showsAll.value}
          onClick={() => (showsAll.value = !showsAll.value)}
        >
          {showsAll.value
            ? 'Fewer'
            : distinct > values.length
              ? `The first ${values.length} of ${distinct.toLocaleString('en')}`
              : `All ${values.length}`}
          <span class="visually-hidden">{` values of ${field}`}</span>
        </button>
      )}
    </>
  )
}
