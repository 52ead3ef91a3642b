import { useSignal } from '@preact/signals'
import type { Range } from './condition.js'
import type { Facet } from './use-facets.js'

/** A day's last moment, so that "to" a day lets in all of it. */
const END_OF_DAY = 'T23:59:59.999Z'
/** Its first one, for dates with a zone: these are compared as instants. */
const START_OF_DAY = 'T00:00:00Z'
const ZONE = /T.*(Z|[+-]\d{2}:\d{2})$/i

/** The day of a date, in UTC where it states its zone. */
function dayOf(date: string): string {
  const moment = ZONE.test(date) ? new Date(date) : undefined
  return moment && !Number.isNaN(moment.getTime()) ? moment.toISOString().slice(0, 10) : date.slice(0, 10)
}

interface RangeFilterProps {
  facet: Facet
  wanted: Range
  onChange: (wanted: Range) => void
}

/** Bounds for a field of numbers or of dates. */
export function RangeFilter({ facet: { field, min, max }, wanted, onChange }: RangeFilterProps) {
  const isDate = typeof min === 'string'
  const shown = (bound: number | string | undefined) =>
    bound === undefined ? '' : isDate ? dayOf(String(bound)) : String(bound)
  const set = (bound: '$gte' | '$lte', entered: string) => {
    const rest = { ...wanted }
    delete rest[bound]
    if (entered === '') return onChange(rest)
    const start = isDate && ZONE.test(min) ? entered + START_OF_DAY : entered
    const value = isDate ? (bound === '$lte' ? entered + END_OF_DAY : start) : Number(entered)
    onChange({ ...rest, [bound]: value })
  }
  const input = (bound: '$gte' | '$lte', name: string, hint: number | string | undefined) => (
    <label class="field">
      <span>{name}</span>
      <Bound
        type={isDate ? 'date' : 'number'}
        label={`${field} ${name.toLowerCase()}`}
        placeholder={isDate ? undefined : shown(hint)}
        min={shown(min)}
        max={shown(max)}
        value={shown(wanted[bound])}
        onChange={(entered) => set(bound, entered)}
      />
    </label>
  )
  return (
    <div class="range" data-of={isDate ? 'dates' : 'numbers'}>
      {input('$gte', 'From', min)}
      {input('$lte', 'To', max)}
    </div>
  )
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
      {...rest}
      step={rest.type === 'date' ? undefined : 'any'}
      aria-label={label}
      value={typed.value ?? value}
      onInput={({ currentTarget }) => (typed.value = currentTarget.value)}
      onChange={({ currentTarget }) => {
        typed.value = undefined
        onChange(currentTarget.value)
      }}
    />
  )
}
