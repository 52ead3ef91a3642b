import { useSignal } from '@preact/signals'
import type { Range } from './condition.js'
import type { Facet } from './use-facets.js'

/** A day's last moment, so that "to" a day lets in all of it. */
const END_OF_DAY = 'T23:59:59.999Z'

interface RangeFilterProps {
  facet: Facet
  wanted: Range
  onChange: (wanted: Range) => void
}

/** Bounds for a field of numbers or of dates. */
export function RangeFilter({ facet: { field, min, max }, wanted, onChange }: RangeFilterProps) {
  const isDate = typeof min === 'string'
  const shown = (bound: number | string | undefined) => (bound === undefined ? '' : isDate ? String(bound).slice(0, 10) : String(bound))
  const set = (bound: '$gte' | '$lte', entered: string) => {
    const rest = { ...wanted }
    delete rest[bound]
    if (entered === '') return onChange(rest)
    const value = isDate ? (bound === '$lte' ? entered + END_OF_DAY : entered) : Number(entered)
    onChange({ ...rest, [bound]: value })
  }
  const input = (bound: '$gte' | '$lte', name: string, hint: number | string | undefined) => (
    <label class="field">
      <span>{name}</span>
      <Bound
        type={isDate ? 'date' : 'number'} label={`${field} ${name.toLowerCase()}`} placeholder={isDate ? undefined : shown(hint)}
        min={shown(min)} max={shown(max)} value={shown(wanted[bound])} onChange={(entered) => set(bound, entered)}
      />
    </label>
  )
  return <div class="range" data-of={isDate ? 'dates' : 'numbers'}>{input('$gte', 'From', min)}{input('$lte', 'To', max)}</div>
}

interface BoundProps {
  type: 'date' | 'number'
  label: string
  placeholder?: string
  min: string
  max: string
  value: string
  onChange: (entered: string) => void
}

/** One bound: heard once it is entered. What is typed until then outlives results that come in between. */
function Bound({ label, value, onChange, ...rest }: BoundProps) {
  const typed = useSignal<string | undefined>(undefined)
  return (
    <input
      {...rest} step={rest.type === 'date' ? undefined : 'any'} aria-label={label} value={typed.value ?? value}
      onInput={({ currentTarget }) => (typed.value = currentTarget.value)}
      onChange={({ currentTarget }) => {
        typed.value = undefined
        onChange(currentTarget.value)
      }}
    />
  )
}
