import { useId } from 'preact/hooks'
import { withCondition, withValue, type Condition, type Scalar } from './condition.js'
import { RangeFilter } from './range-filter.js'
import type { Facet } from './use-facets.js'
import { ValueFilter } from './value-filter.js'

/** Fields with more values than this are bounded rather than ticked, where they are numbers or dates. */
const FEW = 12

/** Whether a field names each record, as a title does, so that there is nothing to tick. */
const namesEach = ({ distinct, min, values }: Facet) =>
  min === undefined && distinct > FEW && values[0]?.records === 1

interface FilterPanelProps {
  facets: Facet[]
  conditions: Condition[]
  onChange: (conditions: Condition[]) => void
}

/** What the results may be narrowed down to, field by field of the collection's metadata. */
export function FilterPanel({ facets, conditions, onChange }: FilterPanelProps) {
  return (
    <div class="filters">
      {[...facets.filter((facet) => !namesEach(facet)), ...facets.filter(namesEach)].map((facet) => (
        <fieldset key={facet.field}>
          <legend>{facet.field}</legend>
          <FieldFilter facet={facet} conditions={conditions} onChange={onChange} />
        </fieldset>
      ))}
    </div>
  )
}

function FieldFilter({ facet, conditions, onChange }: Omit<FilterPanelProps, 'facets'> & { facet: Facet }) {
  const { field, distinct, min } = facet
  const wanted = conditions.find((each) => each.field === field)?.wanted ?? []
  const toggle = (value: Scalar, isWanted: boolean) =>
    onChange(withValue(conditions, field, { value, isWanted }))
  if (min !== undefined && (distinct > FEW || !Array.isArray(wanted))) {
    return (
      <RangeFilter
        facet={facet}
        wanted={Array.isArray(wanted) ? {} : wanted}
        onChange={(range) => onChange(withCondition(conditions, field, range))}
      />
    )
  }
  const ticked = Array.isArray(wanted) ? wanted : []
  if (namesEach(facet)) return <ExactValue facet={facet} wanted={ticked} onChange={toggle} />
  return <ValueFilter facet={facet} wanted={ticked} onChange={toggle} />
}

function ExactValue({
  facet: { field, values },
  wanted,
  onChange
}: {
  facet: Facet
  wanted: Scalar[]
  onChange: (value: Scalar, isWanted: boolean) => void
}) {
  // The panel is in the page twice, and names of fields may be alike but for signs that no id has.
  const list = useId()
  return (
    <>
      <input
        type="text"
        class="quiet"
        list={list}
        placeholder="Is exactly"
        aria-label={`${field} is exactly`}
        onChange={({ currentTarget }) => {
          if (currentTarget.value !== '') onChange(currentTarget.value, true)
          currentTarget.value = ''
        }}
      />
      <datalist id={list}>
        {values.map(({ value }) => (
          <option key={String(value)} value={String(value)} />
        ))}
      </datalist>
      {wanted.length > 0 && (
        <ValueFilter
          facet={{ field, values: [], distinct: 0, records: 0, type: 'string' }}
          wanted={wanted}
          onChange={onChange}
        />
      )}
    </>
  )
}
